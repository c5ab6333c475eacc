import type { House } from './rooms.js'
import { newsOf, talkOf } from './topics.js'
import type { Visitor } from './visitor.js'

/** What a page may ask for, once it is in a room. */
type Asked = { type: 'say'; nonce: string; text: string } | { type: 'typing' }

/** Why not, in words, and the HTTP status that says so. */
export interface Refusal {
  readonly status: 400 | 429
  readonly error: string
  readonly nonce: string | undefined
}

const kMostTextUnits = 1000
const kNonce = /^[\w-]{8,32}$/
/** Control characters but for tab and line feed; halves of pairs. */
const kNoText = /[\p{Cs}\0-\x08\x0b-\x1f\x7f-\x9f]/u

/** Does what somebody in a room asked for, on whichever thread that is. */
export function say(
  { manager, rates }: House,
  visitor: Visitor,
  value: unknown,
): Refusal | undefined {
  const asked = readAsked(value)
  if ('error' in asked) return asked
  const { room, person, name, via } = visitor
  const nonce = asked.type === 'say' ? asked.nonce : undefined
  if (!rates.take(person)) return { status: 429, error: 'That was too fast. Wait a moment.', nonce }
  if (asked.type === 'typing') {
    manager.publish(newsOf(room), JSON.stringify({ type: 'typing', person, name }))
    return undefined
  }
  const { text } = asked
  const at = Date.now()
  const message = { type: 'message', person, nonce, name, via, thread: manager.worker, at, text }
  manager.publish(talkOf(room), JSON.stringify(message))
  return undefined
}

function readAsked(value: unknown): Asked | Refusal {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  const { type, nonce, text } = fields
  if (type === 'typing') return { type }
  const known = typeof nonce === 'string' && kNonce.test(nonce) ? nonce : undefined
  const refuse = (error: string): Refusal => ({ status: 400, error, nonce: known })
  if (type !== 'say' || known === undefined) return refuse('That is no message.')
  if (typeof text !== 'string' || text.trim() === '') return refuse('There is nothing to say.')
  if (text.length > kMostTextUnits)
    return refuse(`A message has at most ${kMostTextUnits} characters.`)
  if (kNoText.test(text)) return refuse('The message has characters that cannot be shown.')
  return { type, nonce: known, text: text.trim() }
}
