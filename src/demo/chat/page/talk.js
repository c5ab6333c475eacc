import { byId, colour, make, plural, threadName } from './dom.js'

const kMostShown = 400
const kOneBreathMs = 5 * 60_000
const kNearEndPx = 96

const log = byId('log')
const messages = byId('messages')
/** Of what is shown: who said it and under which nonce. What came twice is told by that. */
let keys = new Set()
let last
let unseen = 0

const keyOf = ({ person, nonce }) => `${person} ${nonce}`
const isNearEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < kNearEndPx

export const isShown = (message) => keys.has(keyOf(message))
export const showsAny = () => keys.size > 0

export function clearTalk() {
  keys = new Set()
  last = undefined
  messages.replaceChildren()
  seen()
}

/** Whether it is new; `isOwn`: said by this page, `isLive`: it was said now. */
export function showMessage(message, { isOwn, isLive }) {
  if (isShown(message)) return false
  keys.add(keyOf(message))
  const follows =
    last?.person === message.person &&
    last.name === message.name &&
    last.thread === message.thread &&
    message.at - last.at < kOneBreathMs
  last = message
  const stays = isNearEnd() || isOwn
  messages.append(messageView(message, { isFirst: !follows, isOwn, isLive }))
  while (messages.childElementCount > kMostShown) messages.firstElementChild.remove()
  byId('empty').hidden = true
  if (stays) toEnd()
  if (isLive && !isOwn && (!stays || document.hidden)) notice()
  return true
}

export function showDivider(text) {
  last = undefined
  const stays = isNearEnd()
  messages.append(make('li', { className: 'divider', text }))
  if (stays) toEnd()
}

export function messageView({ name, text, at, thread, via }, { isFirst, isOwn, isLive }) {
  const time = make('time', { text: clock(at), datetime: new Date(at).toISOString() })
  time.title = new Date(at).toLocaleString()
  const who = isOwn ? [] : [make('b', { text: name, dir: 'auto' })]
  const where = thread === undefined ? [] : [threadName(thread)]
  if (where[0]) where[0].title = via
  const item = make(
    'li',
    { className: 'message' },
    avatar(name, thread),
    make('p', { className: 'by' }, ...who, ...where, time),
    make('p', { className: 'said', text, dir: 'auto' }),
  )
  item.classList.toggle('is-first', isFirst)
  item.classList.toggle('is-own', isOwn)
  item.classList.toggle('is-new', isLive)
  return item
}

/** Two letters in the colour of the thread. */
export function avatar(name, thread) {
  const words = name.split(' ').filter(Boolean)
  const letters = (words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? '?'])
    .map((word) => [...word][0])
    .join('')
  const view = make('span', { className: 'avatar', text: letters.toUpperCase() })
  view.setAttribute('aria-hidden', 'true')
  return thread === undefined ? view : colour(view, thread)
}

export function toEnd() {
  log.scrollTop = log.scrollHeight
  if (!document.hidden) seen()
}

function notice() {
  unseen++
  const button = byId('newest')
  button.hidden = isNearEnd()
  button.textContent = `${plural(unseen, 'new message')} ↓`
  showUnseen()
}

function seen() {
  unseen = 0
  byId('newest').hidden = true
  showUnseen()
}

let title = document.title
export function setTitle(text) {
  title = text
  showUnseen()
}

const showUnseen = () => (document.title = unseen > 0 ? `(${unseen}) ${title}` : title)
const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })

byId('newest').addEventListener('click', toEnd)
log.addEventListener('scroll', () => isNearEnd() && !document.hidden && seen())
document.addEventListener('visibilitychange', () => isNearEnd() && !document.hidden && seen())
