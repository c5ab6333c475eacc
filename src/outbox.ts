import { isUtf8 } from 'node:buffer'
import { HoldfastError, status } from './errors.js'
import type { HeldStream } from './held-stream.js'
import { frameWords, local, scratch } from './memory.js'
import { kQueued, native } from './native.js'
import type { StreamTable } from './stream-table.js'
import { callUser } from './uncaught.js'
import { invalidUid, type StreamUid } from './uid.js'

/**
 * What became of a message: `sent`, written to a stream of this thread; `queued`, on its way to another
 * thread; `full`, over the stream's budget or the thread's mailbox, nothing was taken; `gone`, the
 * stream is closing, closed, or never was.
 */
export type SendResult = 'sent' | 'queued' | 'full' | 'gone'

/** Each kind of stream takes what it has a use for. */
export interface SendOptions {
  /** Fields of a server-sent event. */
  event?: string
  id?: string
  /** Reconnection time, in ms. */
  retry?: number
  /** For a WebSocket: as a binary message. Default: bytes as binary, a string as text. */
  binary?: boolean
}

/** Looked up once: the addon's many functions make it an object whose every look-up costs a hash. */
const { sendBytes, sendText } = native

const kNoId = -1
const kNoRetry = -1
/** UTF-8 takes at most this many bytes a UTF-16 unit. */
const kBytesAUnit = 3

/** This thread's way to streams by uid. */
export class Outbox {
  readonly #table: StreamTable
  #flushPending = false
  readonly #corked: HeldStream[] = []

  constructor(table: StreamTable) {
    this.#table = table
  }

  send(uid: StreamUid, data: string | Uint8Array, options?: SendOptions): SendResult {
    if (typeof uid !== 'bigint') throw invalidUid(uid)
    let offset = 0
    let eventBytes = 0
    let idBytes = kNoId
    let retry = kNoRetry
    let binary = typeof data !== 'string'
    if (options !== undefined) {
      checkSendOptions(options, data)
      if (options.event !== undefined) offset = eventBytes = scratch.write(options.event)
      if (options.id !== undefined) {
        idBytes = scratch.write(options.id, offset)
        offset += idBytes
      }
      if (options.retry !== undefined) retry = options.retry
      if (options.binary !== undefined) binary = options.binary
    }
    let result: number
    if (typeof data === 'string') {
      if (options === undefined && data.length * kBytesAUnit < scratch.length) {
        result = sendText(uid, data)
      } else if (data.length * kBytesAUnit <= scratch.length - offset) {
        const bytes = scratch.write(data, offset)
        result = native.send(uid, eventBytes, idBytes, bytes, retry, binary)
      } else {
        result = native.send(uid, eventBytes, idBytes, 0, retry, binary, Buffer.from(data))
      }
    } else if (data instanceof Uint8Array) {
      if (data.length <= scratch.length - offset) {
        scratch.set(data, offset)
        result =
          options === undefined
            ? sendBytes(uid, data.length)
            : native.send(uid, eventBytes, idBytes, data.length, retry, binary)
      } else {
        // It is measured, then encoded: nobody may change it between the two.
        const large = data.buffer instanceof SharedArrayBuffer ? Buffer.from(data) : data
        result = native.send(uid, eventBytes, idBytes, 0, retry, binary, large)
      }
    } else {
      throw new HoldfastError(
        'ERR_HOLDFAST_INVALID_ARGUMENT',
        'data must be a string or Uint8Array',
      )
    }
    if (result === kQueued) {
      this.#flushSoon()
      return 'queued'
    }
    if (result >= 0) return this.#write(uid, result)
    if (result === status.full) return 'full'
    if (result === status.invalid) throw invalidUid(uid)
    return 'gone'
  }

  /** Asks another thread to close its stream. */
  requestClose(uid: StreamUid, code: number, reason: string): boolean {
    const result = native.requestClose(uid, code, scratch.write(reason))
    if (result === status.invalid) throw invalidUid(uid)
    if (result === status.ok) this.#flushSoon()
    return result === status.ok
  }

  /** What this tick had to say to other threads goes at its end, in one batch each. */
  #flushSoon(): void {
    if (this.#flushPending) return
    this.#flushPending = true
    process.nextTick(() => {
      this.#flushPending = false
      native.flush()
    })
  }

  /** Hands an encoded message to a stream of this thread. */
  #write(uid: StreamUid, bytes: number): SendResult {
    const stream = this.#table.get(frameWords[0] ?? 0)
    let encoded: Buffer
    if (bytes <= local.length) {
      encoded = Buffer.allocUnsafe(bytes)
      local.copy(encoded, 0, 0, bytes)
    } else {
      encoded = native.takeLocal()
    }
    if (!stream || stream.carrier.ended(stream.raw)) {
      native.unsend(uid, bytes)
      return 'gone'
    }
    this.#cork(stream)
    stream.carrier.write(stream.raw, encoded, () => native.release(uid, bytes))
    return 'sent'
  }

  /** Joins what this tick writes to one stream. */
  #cork(stream: HeldStream): void {
    if (stream.corked) return
    stream.corked = true
    stream.carrier.cork(stream.raw)
    if (this.#corked.push(stream) > 1) return
    process.nextTick(() => {
      for (const corked of this.#corked.splice(0)) {
        corked.corked = false
        callUser(() => corked.carrier.uncork(corked.raw))
      }
    })
  }
}

const kForbidden = /[\r\n\0]/
const kMaxField = 4096

function checkSendOptions(options: SendOptions, data: string | Uint8Array): void {
  if (typeof options !== 'object' || options === null) throw invalid('options must be an object')
  const { event, id, retry, binary } = options
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
  }
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0 && retry < 2 ** 53)) {
    throw invalid('retry must be a whole number of milliseconds')
  }
  if (binary === undefined) return
  if (typeof binary !== 'boolean') throw invalid('binary must be a boolean')
  // A peer must fail a connection that brings it a text of anything else.
  if (!binary && data instanceof Uint8Array && !isUtf8(data)) throw invalid('a text must be UTF-8')
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', message)
}
