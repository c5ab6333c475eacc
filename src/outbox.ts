import { HoldfastError, status } from './errors.js'
import type { HeldStream } from './held-stream.js'
import type { GapMessage } from './slow-policy.js'
import type { StreamFilter } from './filter.js'
import { startEnumeration } from './filter.js'
import { LocalWrites } from './local-writes.js'
import type { StreamWrites } from './stream-writes.js'
import { frameNumbers, frameWords, local, scratch } from './memory.js'
import { kBytesAUnit, packMessage, type PackedMessage, type SendOptions } from './message.js'
import { kQueued, native } from './native.js'
import type { StreamTable } from './stream-table.js'
import { isWellFormed } from './text.js'
import { encodeTopic, invalidTopic, mayBeTopic } from './topics.js'
import { invalidUid, type StreamUid } from './uid.js'
import { errorOf, outcomes, Waiting, type Outcome } from './waiting.js'

/**
 * What became of a message: `sent`, written to a stream of this thread; `queued`, on its way to another
 * thread, or waiting for a slow reader of this one; `full`, over the stream's budget or the thread's mailbox, nothing was taken; `gone`, the
 * stream is closing, closed, or never was.
 */
export type SendResult = 'sent' | 'queued' | 'full' | 'gone'

export interface PublishOptions extends SendOptions {
  /** A member that is to be left out, most often the one who speaks. */
  except?: StreamUid
}

/** Looked up once: the addon's many functions make it an object whose every look-up costs a hash. */
const { flush, publishText, sendBytes, sendText, sendTextAgain } = native

/** A string shorter than this fits the scratch memory, whatever it holds. */
const kPlainUnits = Math.floor(scratch.length / kBytesAUnit)

/** Whether it can be handed over as it is, and is known to fit. */
function isPlainText(data: unknown): data is string {
  return typeof data === 'string' && data.length < kPlainUnits && isWellFormed(data)
}

/** This thread's way to streams by uid. */
export class Outbox {
  readonly #table: StreamTable
  readonly #writes: LocalWrites
  readonly waiting = new Waiting()
  #flushPending = false
  /** What this tick last gave to `sendText`: most often one text goes to many streams. */
  #lastText: string | undefined

  constructor(table: StreamTable, writes: StreamWrites) {
    this.#table = table
    this.#writes = new LocalWrites(table, writes)
  }

  send(uid: StreamUid, data: string | Uint8Array, options?: SendOptions): SendResult {
    if (typeof uid !== 'bigint') throw invalidUid(uid)
    let result: number
    if (typeof data === 'string' && data === this.#lastText && options === undefined) {
      result = sendTextAgain(uid)
    } else if (options === undefined && isPlainText(data)) {
      result = sendText(uid, data)
      this.#lastText = result === kQueued ? data : undefined
    } else if (
      options === undefined &&
      data instanceof Uint8Array &&
      data.length <= scratch.length
    ) {
      scratch.set(data)
      result = sendBytes(uid, data.length)
    } else {
      const { eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large } = packMessage(
        data,
        options,
        0,
      )
      result = native.send(uid, eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large)
    }
    if (result === kQueued) {
      this.flushSoon()
      return 'queued'
    }
    if (result >= 0) return this.#write(uid, result)
    if (result === status.full) {
      // It may have been the stream's end: then its owner is to be told.
      this.flushSoon()
      return 'full'
    }
    if (result === status.invalid) throw invalidUid(uid)
    return 'gone'
  }

  /** As `send`; settles when the stream's socket took the message, or when it never will. */
  async sendAndWait(
    uid: StreamUid,
    data: string | Uint8Array,
    options?: SendOptions,
  ): Promise<void> {
    if (typeof uid !== 'bigint') throw invalidUid(uid)
    const { eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large } = packMessage(
      data,
      options,
      0,
    )
    const result = native.sendAwaited(
      uid,
      eventBytes,
      idBytes,
      keyBytes,
      dataBytes,
      retryMs,
      binary,
      large,
    )
    if (result === kQueued) {
      this.flushSoon()
      return this.waiting.begin(frameNumbers[1] ?? 0)
    }
    if (result === status.invalid) throw invalidUid(uid)
    if (result === status.full) {
      this.flushSoon()
      throw new HoldfastError('ERR_HOLDFAST_FULL')
    }
    if (result < 0) throw new HoldfastError('ERR_HOLDFAST_GONE')
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void =>
        outcome === outcomes.taken ? resolve() : reject(errorOf(outcome))
      const stream = this.#table.get(frameWords[0] ?? 0)
      if (this.#writes.write(stream, takeEncoded(result), settle)) return this.#writes.tellSlow()
      native.unsend(uid, result)
      settle(outcomes.gone)
    })
  }

  /** To the members of a topic; how many there are. */
  publish(topic: string, data: string | Uint8Array, options?: PublishOptions): number {
    if (options !== undefined || !isPlainText(data) || !mayBeTopic(topic)) {
      return this.#publish(topic, data, options)
    }
    const addressed = publishText(topic, data)
    this.#lastText = undefined
    if (addressed === status.invalid) throw invalidTopic()
    if (addressed > 0) this.#fannedOut()
    return addressed
  }

  #publish(topic: string, data: string | Uint8Array, options?: PublishOptions): number {
    const except = options?.except
    requirePublishable(data)
    if (except !== undefined && typeof except !== 'bigint') throw invalidUid(except)
    const topicBytes = encodeTopic(topic)
    if (options?.id !== undefined && native.keepsTopic(topicBytes)) {
      throw new HoldfastError(
        'ERR_HOLDFAST_INVALID_ARGUMENT',
        'messages of a topic that is kept have ids of their own',
      )
    }
    const { eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large } = packMessage(
      data,
      options,
      topicBytes,
    )
    const addressed = native.publish(
      topicBytes,
      except,
      eventBytes,
      idBytes,
      keyBytes,
      dataBytes,
      retryMs,
      binary,
      large,
    )
    if (addressed === status.invalid) throw invalidUid(except)
    if (addressed > 0) this.#fannedOut()
    return addressed
  }

  /** To all streams that pass the filter; how many there are. */
  broadcast(filter: StreamFilter, data: string | Uint8Array, options?: SendOptions): number {
    requirePublishable(data)
    const enumeration = startEnumeration(filter)
    const { eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large } = packMessage(
      data,
      options,
      0,
    )
    const addressed = native.broadcast(
      enumeration,
      eventBytes,
      idBytes,
      keyBytes,
      dataBytes,
      retryMs,
      binary,
      large,
    )
    if (addressed > 0) this.#fannedOut()
    return addressed
  }

  #fannedOut(): void {
    const reachesOwn = frameWords[0] !== 0
    this.flushSoon()
    if (!reachesOwn) return
    // Taken at once: a write may run code that publishes again.
    const own = native.takeOwn()
    let delivered = 0
    let undeliverable = 0
    // A handle that a write frees must not reach the stream that comes next.
    this.#table.beginBatch()
    for (let i = 0; i < own.length; i += 2) {
      const bytes = own[i + 1] as Buffer
      const handles = own[i] as Uint32Array
      const written = this.#writes.writeMany(handles, bytes)
      delivered += written
      undeliverable += handles.length - written
    }
    this.#table.endBatch()
    this.#writes.tellSlow()
    native.settleOwn(delivered, undeliverable)
  }

  /** To a stream of this thread, bytes that are reserved for it. */
  writeReserved(stream: HeldStream, bytes: Buffer): void {
    if (this.#writes.write(stream, bytes)) this.#writes.tellSlow()
    else native.release(stream.uid, bytes.length)
  }

  /** To a stream that this thread handles, before all that waits for it. */
  sendAhead(stream: HeldStream, data: string | Uint8Array): void {
    this.#writeAhead(stream, packMessage(data, undefined, 0))
  }

  /** The same of what stands for a gap; whether it was taken. `asked`: of a stream on a
   * reactor, which takes others from then on. */
  sendMark(stream: HeldStream, { data, options }: GapMessage, asked: boolean): boolean {
    return this.#writeAhead(stream, packMessage(data, options, 0), asked)
  }

  /** The same of fields alone, which an event stream's client takes without an event. */
  sendFields(stream: HeldStream, options: SendOptions): void {
    this.#writeAhead(stream, { ...packMessage('', options, 0), dataBytes: -1 })
  }

  /** Of what was sent ahead, once its stream has what else it is to be given. */
  tellSlow(): void {
    this.#writes.tellSlow()
  }

  #writeAhead(stream: HeldStream, packed: PackedMessage, endsGap = false): boolean {
    const { eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large } = packed
    const { uid } = stream
    const message = [eventBytes, idBytes, keyBytes, dataBytes, retryMs, binary, large] as const
    if (stream.handle < 0) {
      const lives = native.requestAhead(uid, endsGap, ...message)
      this.flushSoon()
      return lives
    }
    const bytes = native.sendAhead(uid, ...message)
    if (bytes < 0) return false
    if (this.#writes.write(stream, takeEncoded(bytes))) return true
    native.unsend(uid, bytes)
    return false
  }

  /** Asks another thread to close its stream. */
  requestClose(uid: StreamUid, code: number, reason: string): boolean {
    const result = native.requestClose(uid, code, scratch.write(reason))
    if (result === status.invalid) throw invalidUid(uid)
    if (result === status.ok) this.flushSoon()
    return result === status.ok
  }

  /** What this tick had to say to other threads goes at its end, in one batch each. */
  flushSoon(): void {
    if (this.#flushPending) return
    this.#flushPending = true
    process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushPending = false
    this.#lastText = undefined
    flush()
  }

  /** Hands an encoded message to a stream of this thread. */
  #write(uid: StreamUid, bytes: number): SendResult {
    const stream = this.#table.get(frameWords[0] ?? 0)
    if (this.#writes.write(stream, takeEncoded(bytes))) {
      this.#writes.tellSlow()
      return 'sent'
    }
    native.unsend(uid, bytes)
    return 'gone'
  }
}

/** What a mailbox could never take: native/core/mailbox.h. */
const kMaxPublished = 32 << 20

function requirePublishable(data: unknown): void {
  const measured = typeof data === 'string' || data instanceof Uint8Array
  if (measured && data.length <= kMaxPublished) return
  throw new HoldfastError(
    'ERR_HOLDFAST_INVALID_ARGUMENT',
    `what is published must be a string or Uint8Array of at most ${kMaxPublished}`,
  )
}

/** What the last send encoded for a stream of this thread. */
function takeEncoded(bytes: number): Buffer {
  if (bytes > local.length) return native.takeLocal()
  const encoded = Buffer.allocUnsafe(bytes)
  local.copy(encoded, 0, 0, bytes)
  return encoded
}
