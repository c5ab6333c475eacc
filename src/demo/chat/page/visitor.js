// Who this page is. The name and the way to connect stay with the browser, the secret with the tab: what
// others know somebody by is a hash of it.

const kAdjectives = ['Quiet', 'Brisk', 'Amber', 'Lucky', 'Northern', 'Gentle', 'Velvet', 'Curious']
const kAnimals = ['Otter', 'Heron', 'Lynx', 'Magpie', 'Hare', 'Dolphin', 'Badger', 'Swift']

const pick = (list) => list[Math.floor(Math.random() * list.length)]

/** Not every browser lets every page keep things. */
function kept(storage, key, value) {
  try {
    if (value === undefined) return storage().getItem(key) ?? undefined
    storage().setItem(key, value)
  } catch {
    // Then it lasts as long as the page does.
  }
  return value
}

const local = () => window.localStorage
const session = () => window.sessionStorage

export const suggestedName = () => `${pick(kAdjectives)} ${pick(kAnimals)}`

export const visitor = {
  name: kept(session, 'name') ?? kept(local, 'name'),
  secret: kept(session, 'secret') ?? kept(session, 'secret', newToken(24)),
  transport: kept(local, 'transport') === 'events' ? 'events' : 'websocket',

  get room() {
    return decodeURIComponent(location.hash.slice(1)).toLowerCase() || 'lobby'
  },
  rename(name) {
    visitor.name = kept(session, 'name', name)
    kept(local, 'name', name)
  },
  choose(transport) {
    visitor.transport = kept(local, 'transport', transport)
  },
}

export function newToken(bytes) {
  const random = window.crypto.getRandomValues(new Uint8Array(bytes))
  return [...random].map((byte) => (byte % 36).toString(36)).join('')
}
