import { isUtf8 } from 'node:buffer'
import { HoldfastError } from './errors.js'
import { scratch } from './memory.js'
import { requireWellFormed } from './text.js'

/** Each kind of stream takes what it has a use for. */
export interface SendOptions {
  /** Fields of a server-sent event. */
  event?: string
  id?: string
  /** Reconnection time, in ms. */
  retry?: number
  /** For a WebSocket: as a binary message. Default: bytes as binary, a string as text. */
  binary?: boolean
  /** What it is about, for a stream that keeps the latest of each key (`onSlow: 'latest'`). */
  key?: string
}

/** A message as the addon takes it: lengths of its texts in the scratch memory, one behind the other. */
export interface PackedMessage {
  eventBytes: number
  /** -1: no id. */
  idBytes: number
  keyBytes: number
  /** -1: none. */
  dataBytes: number
  /** -1: none. */
  retryMs: number
  binary: boolean
  /** The data, where it does not fit the scratch memory. */
  large: Uint8Array | undefined
}

/** UTF-8 takes at most this many bytes a UTF-16 unit. */
export const kBytesAUnit = 3

/**
 * Packs a message behind the first `offset` bytes of the scratch memory.
 * @throws ERR_HOLDFAST_INVALID_ARGUMENT
 */
export function packMessage(
  data: string | Uint8Array,
  options: SendOptions | undefined,
  offset: number,
): PackedMessage {
  const packed: PackedMessage = {
    eventBytes: 0,
    idBytes: -1,
    keyBytes: 0,
    dataBytes: 0,
    retryMs: -1,
    binary: typeof data !== 'string',
    large: undefined,
  }
  if (options !== undefined) {
    const { event, id, retry, binary, key } = readSendOptions(options, data)
    if (event !== undefined) {
      packed.eventBytes = scratch.write(event, offset)
      offset += packed.eventBytes
    }
    if (id !== undefined) {
      packed.idBytes = scratch.write(id, offset)
      offset += packed.idBytes
    }
    if (key !== undefined) {
      packed.keyBytes = scratch.write(key, offset)
      offset += packed.keyBytes
    }
    if (retry !== undefined) packed.retryMs = retry
    if (binary !== undefined) packed.binary = binary
  }
  const room = scratch.length - offset
  if (typeof data === 'string') {
    requireWellFormed('data', data)
    if (data.length * kBytesAUnit <= room) packed.dataBytes = scratch.write(data, offset)
    else packed.large = Buffer.from(data)
  } else if (!(data instanceof Uint8Array)) {
    throw invalid('data must be a string or Uint8Array')
  } else if (data.length <= room) {
    scratch.set(data, offset)
    packed.dataBytes = data.length
  } else {
    // It is measured, then encoded: nobody may change it between the two.
    packed.large = data.buffer instanceof SharedArrayBuffer ? Buffer.from(data) : data
  }
  return packed
}

const kForbidden = /[\r\n\0]/
const kMaxField = 4096

/** Each is read once, so that what was checked is what is sent. */
function readSendOptions(
  options: SendOptions,
  data: string | Uint8Array,
): { [Name in keyof SendOptions]-?: SendOptions[Name] | undefined } {
  if (typeof options !== 'object' || options === null) throw invalid('options must be an object')
  const { event, id, retry, binary, key } = options
  for (const [name, value] of [
    ['event', event],
    ['id', id],
  ] as const) {
    if (value === undefined) continue
    // A line break would begin another field; browsers ignore an id with NUL.
    if (typeof value !== 'string' || kForbidden.test(value) || value.length > kMaxField) {
      throw invalid(
        `${name} must be a string without CR, LF or NUL, of at most ${kMaxField} characters`,
      )
    }
    requireWellFormed(name, value)
  }
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0 && retry < 2 ** 53)) {
    throw invalid('retry must be a whole number of milliseconds')
  }
  if (key !== undefined && (typeof key !== 'string' || key.length > kMaxField)) {
    throw invalid(`key must be a string of at most ${kMaxField} characters`)
  }
  if (key !== undefined) requireWellFormed('key', key)
  if (binary !== undefined && typeof binary !== 'boolean') {
    throw invalid('binary must be a boolean')
  }
  // A peer must fail a connection that brings it a text of anything else.
  if (binary === false && data instanceof Uint8Array && !isUtf8(data))
    throw invalid('a text must be UTF-8')
  return { event, id, retry, binary, key }
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', message)
}
