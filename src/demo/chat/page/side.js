import { byId, make, plural, threadName } from './dom.js'
import { avatar } from './talk.js'

let stamp = 0

/** A list that is older than the one shown says what was. */
export function showPeople({ people, stamp: taken }, ownPerson) {
  if (taken < stamp) return false
  stamp = taken
  byId('people').replaceChildren(...people.map((one) => personView(one, ownPerson)))
  byId('people-count').textContent = String(people.length)
  const threads = new Set(people.map(({ thread }) => thread)).size
  const count = people.length === 1 ? '1 person' : `${people.length} people`
  byId('room-facts').textContent = `${count} on ${plural(threads, 'thread')}`
  return true
}

function personView({ person, name, thread, via }, ownPerson) {
  const shown = make('p', { className: 'person-name', dir: 'auto', text: name })
  if (person === ownPerson) shown.append(make('span', { className: 'note', text: ' (you)' }))
  const facts = make('p', { className: 'person-facts' }, threadName(thread), ` · ${via}`)
  return make('li', { className: 'person' }, avatar(name, thread), shown, facts)
}

export function showRooms(rooms, current) {
  const listed = new Map([['lobby', 0], [current, 0], ...rooms.map((r) => [r.name, r.people])])
  const views = [...listed].map(([name, people]) => {
    const link = make(
      'a',
      { href: `#${encodeURIComponent(name)}` },
      make('span', { className: 'room-name', text: name }),
      make('span', { className: 'count', text: people > 0 ? String(people) : '' }),
    )
    if (name === current) link.setAttribute('aria-current', 'page')
    return make('li', {}, link)
  })
  const focused = document.activeElement?.closest('#rooms a')?.getAttribute('href')
  byId('rooms').replaceChildren(...views)
  if (focused)
    byId('rooms')
      .querySelector(`a[href="${window.CSS.escape(focused)}"]`)
      ?.focus()
}

/** On a phone: the side lies over the talk, which is out of reach meanwhile. */
export function startSide() {
  const side = byId('side')
  const show = (open) => {
    side.classList.toggle('is-open', open)
    document.querySelector('.talk').inert = open
    byId('open-side').setAttribute('aria-expanded', String(open))
    byId(open ? 'close-side' : 'open-side').focus()
  }
  const hide = () => side.classList.contains('is-open') && show(false)
  byId('open-side').addEventListener('click', () => show(true))
  byId('close-side').addEventListener('click', hide)
  addEventListener('keydown', ({ key }) => key === 'Escape' && hide())
  document.addEventListener('pointerdown', ({ target }) => !side.contains(target) && hide())
  addEventListener('hashchange', hide)

  byId('go').addEventListener('submit', (event) => {
    event.preventDefault()
    const name = byId('go-room').value.trim().toLowerCase().replaceAll(/\s+/g, '-')
    const known = /^[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?$/.test(name)
    byId('go-note').textContent = known || name === '' ? '' : 'Use a–z, 0–9 and -, please.'
    if (!known) return
    byId('go-room').value = ''
    location.hash = name
  })
  // The same server under another name is another origin, and so another connection.
  const other = new URL(location.href)
  other.hostname = location.hostname === 'localhost' ? '127.0.0.1' : 'localhost'
  byId('other-origin').href = other.href
}
