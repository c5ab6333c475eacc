import { HoldfastError } from './errors.js'

declare const brand: unique symbol

/** A stream's id, unique for the life of the process: worker:16 | socket:32 | stream:16. */
export type StreamUid = bigint & { readonly [brand]: 'StreamUid' }

const kText = /^[0-9a-f]{16}$/
const kMax = 0xffff_ffff_ffff_ffffn

/** 16 lower-case hexadecimal digits, for URLs and logs. @throws ERR_HOLDFAST_INVALID_UID */
export function formatUid(uid: StreamUid): string {
  if (typeof uid !== 'bigint' || uid <= 0n || uid > kMax) throw invalidUid(uid)
  return uid.toString(16).padStart(16, '0')
}

/** Whether `text` is the text form of a uid. It may be one of a stream that is gone. */
export function isUid(text: unknown): text is string {
  return typeof text === 'string' && kText.test(text) && text !== '0000000000000000'
}

/** Takes what {@link formatUid} gives, and nothing else. @throws ERR_HOLDFAST_INVALID_UID */
export function parseUid(text: string): StreamUid {
  if (!isUid(text)) throw invalidUid(text)
  return BigInt(`0x${text}`) as StreamUid
}

export function invalidUid(value: unknown): HoldfastError {
  // Not every object can be made a string.
  const plain = Object(value) === value ? typeof value : value
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(plain)
  return new HoldfastError('ERR_HOLDFAST_INVALID_UID', `not a stream uid: ${shown}`)
}
