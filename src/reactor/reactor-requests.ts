import { HoldfastError } from '../errors.js'
import type { ResolvedTarget } from '../http2/target.js'
import { scratch } from '../memory.js'
import { native } from '../native.js'
import type { ClientIdentity } from '../request/client-identity.js'
import type { Fields } from '../request/fields.js'
import type { RequestCarrier, RequestSink, ResponseHead } from '../request/request-carrier.js'
import type { CloseReason } from '../stream-info.js'
import { httpDate } from './date.js'
import { writeFields, writeHead } from './fields.js'
import { LongAnswer } from './long-answer.js'
import { OneAfterAnother } from './one-after-another.js'
import type { ReactorRequest } from './reactor-request.js'

/** Flags of a head: native/binding/js_requests.cc. */
const kEndsStream = 1
const kInterim = 2

/** RFC 9110, section 15.6.4. */
const kUnavailable = 503

type Raw = ReactorRequest

/** Requests that live on a reactor. What is said of them there goes by the thread's outbox. */
export class ReactorRequests implements RequestCarrier<Raw> {
  readonly #flushSoon: () => void

  constructor(flushSoon: () => void) {
    this.#flushSoon = flushSoon
  }

  resolve(raw: Raw): ResolvedTarget {
    if (this.ended(raw)) throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
    return { raw, carrier: this, headersSent: raw.headersSent }
  }

  isHead(raw: Raw): boolean {
    return raw.isHead
  }

  hasBody(raw: Raw): boolean {
    return raw.hasBody
  }

  client(raw: Raw): ClientIdentity | undefined {
    return raw.client
  }

  headersSent(raw: Raw): boolean {
    return raw.headersSent
  }

  closed(raw: Raw): boolean {
    return raw.closed
  }

  ended(raw: Raw): boolean {
    return raw.ended || raw.closed
  }

  reason(raw: Raw): CloseReason {
    return raw.reason
  }

  inform(raw: Raw, status: number, fields: Fields): void {
    this.#head(raw, status, fields, kInterim)
  }

  head(raw: Raw, { status, fields, endStream }: ResponseHead): void {
    if (raw.closed) return
    fields['date'] ??= httpDate()
    this.#head(raw, status, fields, endStream ? kEndsStream : 0)
    raw.headersSent = true
    if (endStream) this.#ended(raw)
  }

  respond(raw: Raw, headers: Readonly<Fields>): void {
    this.head(raw, { status: 200, fields: { ...headers }, endStream: raw.isHead, trailers: false })
  }

  write(raw: Raw, bytes: Buffer, done?: () => void): void {
    if (this.ended(raw)) {
      done?.()
      return
    }
    // What is sent to a registered stream goes past this.
    if (!raw.held && LongAnswer.needed(bytes)) raw.long ??= this.#longAnswer(raw)
    if (raw.long) raw.long.add(bytes, done)
    else this.#write(raw, bytes, done)
  }

  /** What a tick says to a reactor is joined as it is. */
  cork(): void {}
  uncork(): void {}

  end(raw: Raw): void {
    this.#end(raw, '')
  }

  endWithTrailers(raw: Raw, fields: Record<string, string>): void {
    this.#end(raw, writeFields(fields))
  }

  reset(raw: Raw, code: number): void {
    if (raw.closed) return
    raw.reset = true
    if (raw.held) native.stopTaking(raw.held.uid)
    native.requestReset(raw.reactor, raw.slot, raw.generation, code)
    this.#flushSoon()
  }

  attach(raw: Raw, sink: RequestSink): void {
    raw.sink = raw.sink ? new OneAfterAnother(raw.sink, sink) : sink
    if (raw.over) sink.closed(raw.over)
  }

  read(raw: Raw): void {
    raw.reading = true
    const { sink, early } = raw
    raw.early = undefined
    for (let bytes; (bytes = early?.shift());) sink?.data(bytes)
    if (raw.trailers) sink?.ended(raw.trailers)
  }

  consume(raw: Raw, bytes: number): void {
    if (raw.closed) return
    native.requestConsume(raw.reactor, raw.slot, raw.generation, bytes)
    this.#flushSoon()
  }

  discard(raw: Raw): void {
    if (raw.closed || raw.discarded) return
    raw.discarded = true
    raw.early = undefined
    native.requestDiscard(raw.reactor, raw.slot, raw.generation)
    this.#flushSoon()
  }

  /** There is nothing to say of a gap: its stream goes on. */
  gapOver(raw: Raw): void {
    native.requestGapOver(raw.reactor, raw.slot, raw.generation)
    this.#flushSoon()
  }

  #write(raw: Raw, bytes: Buffer, done: (() => void) | undefined): void {
    if (done) raw.awaitTaken(bytes.length, done)
    native.requestWrite(raw.reactor, raw.slot, raw.generation, bytes, done !== undefined)
    this.#flushSoon()
  }

  #longAnswer(raw: Raw): LongAnswer {
    return new LongAnswer({
      closed: () => raw.closed,
      write: (bytes, taken) => this.#write(raw, bytes, taken),
      empty: () => (raw.long = undefined),
    })
  }

  #head(raw: Raw, status: number, fields: Fields, flags: number): void {
    if (raw.closed) return
    const text = writeHead(status, fields)
    const fits = text.length <= scratch.length
    native.requestHead(
      raw.reactor,
      raw.slot,
      raw.generation,
      fits ? scratch.write(text, 'latin1') : 0,
      flags,
      fits ? undefined : Buffer.from(text, 'latin1'),
    )
    this.#flushSoon()
  }

  #end(raw: Raw, trailers: string): void {
    if (this.ended(raw)) return
    if (!raw.headersSent) {
      this.head(raw, { status: kUnavailable, fields: {}, endStream: true, trailers: false })
      return
    }
    if (raw.long) raw.long.end(() => this.#tellEnd(raw, trailers))
    else this.#tellEnd(raw, trailers)
    this.#ended(raw)
  }

  #tellEnd(raw: Raw, trailers: string): void {
    const trailerBytes = trailers === '' ? 0 : scratch.write(trailers, 'latin1')
    native.requestEnd(raw.reactor, raw.slot, raw.generation, trailerBytes)
    this.#flushSoon()
  }

  /** A body that nobody began to read in time is not wanted any more: the stream would stay open. */
  #ended(raw: Raw): void {
    raw.ended = true
    if (raw.held) native.stopTaking(raw.held.uid)
    if (raw.trailers || raw.reading) return
    setImmediate(() => {
      if (!raw.reading) this.discard(raw)
    })
  }
}
