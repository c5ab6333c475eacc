import { createHash } from 'node:crypto'
import type { StreamInfo } from '../../index.js'

/** Who is behind a stream and where, as its tags say: any thread can read it there. */
export interface Visitor {
  readonly room: string
  readonly name: string
  /** What others know somebody by: a hash of the secret that the page keeps. */
  readonly person: string
  /** How it is connected, in words. */
  readonly via: string
}

/** Marks the streams of the chat. */
export const chatTag = 'chat'

// With the room and the rest, its bytes fit the 255 that all tags of a stream have.
const kMostNameUnits = 24
const kRoom = /^[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?$/
const kSecret = /^[\w-]{16,64}$/
/** Control characters, halves of pairs, line ends, and what would turn the text around it. */
const kNoName = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** Who asks to come in, or what is wrong with that. */
export function readVisitor(query: URLSearchParams, via: string): Visitor | string {
  const room = query.get('room') ?? ''
  const name = (query.get('name') ?? '').trim().replace(/\s+/g, ' ')
  const secret = query.get('secret') ?? ''
  if (!kRoom.test(room)) return 'A room is named by up to 24 of a–z, 0–9 and -.'
  if (name === '' || name.length > kMostNameUnits) {
    return `A name has 1 to ${kMostNameUnits} characters.`
  }
  if (kNoName.test(name)) return 'The name has characters that cannot be shown.'
  if (!kSecret.test(secret)) return 'The secret must have 16 to 64 letters, digits, - or _.'
  return { room, name, person: personOf(secret), via }
}

export function personOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 12)
}

export const roomTag = (room: string): string => `room:${room}`

export function tagsOf({ room, name, person, via }: Visitor): string[] {
  return [chatTag, roomTag(room), `person:${person}`, `via:${via}`, `name:${name}`]
}

/** The other way round; undefined if the stream is none of the chat's. */
export function visitorOf({ tags }: StreamInfo): Visitor | undefined {
  if (tags[0] !== chatTag) return undefined
  const [room = '', person = '', via = '', name = ''] = tags
    .slice(1)
    .map((tag) => tag.slice(tag.indexOf(':') + 1))
  return { room, name, person, via }
}
