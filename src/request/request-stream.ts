import type { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http2'
import { HoldfastError } from '../errors.js'
import type { ResolvedTarget } from '../http2/target.js'
import type { HeldStream } from '../held-stream.js'
import type { StreamManager } from '../manager.js'
import { requireKnown } from '../options.js'
import { ManagedStream } from '../stream.js'
import type { CloseReason } from '../stream-info.js'
import {
  checkFields,
  checkTrailers,
  isBodiless,
  lastEventIdIn,
  statusOf,
  type Fields,
  type HeaderFields,
} from './fields.js'
import type { RequestCarrier } from './request-carrier.js'
import { toBody } from './request-body.js'
import { RequestDuplex } from './request-duplex.js'
import { RequestFlow } from './request-flow.js'
import { http2Code } from '../http2-codes.js'

export interface RespondOptions {
  /** There is no body. Default false. */
  endStream?: boolean
  /** `end` will be given trailers. Default false. */
  trailers?: boolean
}

export interface EndOptions {
  /** Fields after the body; `respond` must have announced them. */
  trailers?: HeaderFields
}

/**
 * A request and its answer. It is registered when it is first used as a {@link ManagedStream}: when its
 * uid is read, it is listened to, sent to, detached or closed. Until then it costs the registry nothing.
 *
 * When its peer goes, nothing here throws: what is written is dropped, `signal` is aborted, and what
 * waits for the body fails with ERR_HOLDFAST_ABORTED.
 */
export class RequestStream extends ManagedStream {
  readonly #carrier: RequestCarrier
  readonly #raw: unknown
  #flow: RequestFlow<unknown> | undefined
  #expectsContinue = false
  #lastEventId: string | undefined
  #bodiless = false
  #trailers = false
  #ended = false
  #body: ReadableStream<Uint8Array> | undefined
  #duplex: RequestDuplex | undefined

  /** @internal */
  constructor(
    manager: StreamManager,
    carrier: RequestCarrier,
    raw: unknown,
    held?: HeldStream,
    headers?: IncomingHttpHeaders,
  ) {
    super(manager, held)
    this.#carrier = carrier
    this.#raw = raw
    if (!headers) return
    this.#expectsContinue = headers.expect?.toLowerCase() === '100-continue'
    this.#lastEventId = lastEventIdIn(headers)
  }

  /** The Last-Event-ID that its client sent, or what `manager.sse` was told instead. */
  override get lastEventId(): string | undefined {
    return super.lastEventId ?? this.#lastEventId
  }

  /** Whether its answer has begun. */
  get headersSent(): boolean {
    return this.#carrier.headersSent(this.#raw)
  }

  /** Whether the request has a body, or may have. */
  get hasBody(): boolean {
    return this.#carrier.hasBody(this.#raw)
  }

  /**
   * The certificate that its client has shown to this port, trusted or not; undefined if it has shown
   * none, was not asked (`requestCert`), or came without TLS. It is that of the client's connection, in
   * which a session may have been resumed, and stays when the connection is gone.
   */
  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#carrier.client(this.#raw)?.certificate
  }

  /** Whether its client has shown a certificate that is trusted: signed by one of `ca`, and valid. */
  get authorized(): boolean {
    return this.#carrier.client(this.#raw)?.authorized ?? false
  }

  /**
   * Why it is not authorized, where its client was asked: a code of node:tls such as
   * `DEPTH_ZERO_SELF_SIGNED_CERT`; `UNABLE_TO_GET_ISSUER_CERT` if it has shown no certificate.
   * Undefined if it is authorized, was not asked, or came without TLS.
   */
  get authorizationError(): string | undefined {
    return this.#carrier.client(this.#raw)?.authorizationError
  }

  /**
   * Aborted when the peer, or anybody, breaks off before the answer is complete; its reason is an error
   * with the code ERR_HOLDFAST_ABORTED.
   */
  get signal(): AbortSignal {
    return this.#flowing.signal
  }

  /**
   * The request's body. It is read from the peer as far as it is read here, but for one flow-control
   * window; cancel it to give up the rest, or the stream stays open. @throws ERR_HOLDFAST_BODY_TAKEN
   */
  get body(): ReadableStream<Uint8Array> {
    if (this.#body) return this.#body
    this.#takeBody()
    return (this.#body = toBody(this.#flowing))
  }

  /** The fields after the request's body, once it was read to its end; often none. */
  get trailers(): Promise<Fields> {
    const trailers = this.#flowing.trailers()
    trailers.catch(() => {})
    return trailers
  }

  /**
   * Begins the answer: `:status`, by default 200, and header fields.
   * @throws ERR_HOLDFAST_HEADERS_SENT, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_INVALID_OPTION
   */
  respond(headers: HeaderFields = {}, options: RespondOptions = {}): void {
    requireKnown('options', options, ['endStream', 'trailers'])
    const status = statusOf(headers, 200, 599, 200)
    const fields = checkFields(headers)
    if (this.#ended || this.headersSent) throw new HoldfastError('ERR_HOLDFAST_HEADERS_SENT')
    this.#bodiless = this.#carrier.isHead(this.#raw) || isBodiless(status)
    const endStream = this.#bodiless || options.endStream === true
    this.#trailers = options.trailers === true
    this.#ended = options.endStream === true
    if (this.#carrier.closed(this.#raw)) return
    const trailers = this.#trailers && !endStream
    try {
      this.#carrier.head(this.#raw, { status, fields, endStream, trailers })
    } catch (error) {
      this.#ended = false
      throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', 'the headers were refused', error)
    }
  }

  /**
   * An interim answer before the answer: `:status` 100 or 102 to 199, 103 for early hints.
   * @throws ERR_HOLDFAST_HEADERS_SENT, ERR_HOLDFAST_INVALID_ARGUMENT
   */
  respondInformational(headers: HeaderFields): void {
    const status = statusOf(headers, 100, 199)
    const fields = checkFields(headers)
    if (this.#ended || this.headersSent) throw new HoldfastError('ERR_HOLDFAST_HEADERS_SENT')
    if (status === 100) this.#expectsContinue = false
    if (this.#carrier.closed(this.#raw)) return
    try {
      this.#carrier.inform(this.#raw, status, fields)
    } catch (error) {
      throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', 'the headers were refused', error)
    }
  }

  /**
   * Writes to the body of the answer, which it begins with 200 if nothing else did. False: wait for
   * `drained()` before more, or memory grows. The bytes must not change until they are written. Dropped
   * where an answer has no body, and when the peer has gone.
   * @throws ERR_HOLDFAST_INVALID_ARGUMENT; ERR_HOLDFAST_STREAM_DEAD after `end`
   */
  write(data: string | Uint8Array): boolean {
    const bytes = toBytes(data)
    if (this.#ended) throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD', 'write after end')
    if (!this.headersSent) this.respond()
    if (this.#bodiless) return true
    if (this.#carrier.ended(this.#raw)) return false
    return bytes.length === 0 || this.#flowing.write(bytes)
  }

  /** Resolves when `write` has room: true; or when there is nobody to write to any more: false. */
  drained(): Promise<boolean> {
    return this.#flowing.drained()
  }

  /**
   * Ends the answer, after `data` if there is any. A second call changes nothing.
   * @throws as `write`, and ERR_HOLDFAST_INVALID_ARGUMENT for trailers that `respond` did not announce
   */
  end(data?: string | Uint8Array, options: EndOptions = {}): void {
    requireKnown('options', options, ['trailers'])
    const trailers = options.trailers && checkTrailers(options.trailers)
    const bytes = data === undefined ? undefined : toBytes(data)
    if (this.#ended) {
      if (bytes === undefined) return
      throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD', 'write after end')
    }
    if (!this.headersSent) {
      this.respond({}, { endStream: bytes === undefined && !trailers, trailers: !!trailers })
      if (this.#ended) return
    }
    if (trailers && !this.#trailers) {
      throw new HoldfastError(
        'ERR_HOLDFAST_INVALID_ARGUMENT',
        'trailers must be announced by respond(headers, { trailers: true })',
      )
    }
    if (bytes !== undefined) this.#writeLast(bytes)
    this.#ended = true
    if (this.#bodiless || this.#carrier.ended(this.#raw)) return
    if (trailers) this.#carrier.endWithTrailers(this.#raw, trailers)
    else this.#carrier.end(this.#raw)
  }

  /**
   * Request and answer as one Duplex: reads the body, writes the answer, which it begins with 200 if
   * nothing else did. The same each time. @throws ERR_HOLDFAST_BODY_TAKEN
   */
  toDuplex(): RequestDuplex {
    if (this.#duplex) return this.#duplex
    this.#takeBody()
    return (this.#duplex = new RequestDuplex(this, this.#flowing))
  }

  /** @internal Whether its answer has no body, whatever is written. */
  get bodiless(): boolean {
    return this.#bodiless
  }

  /** @internal Whether its answer was ended here. */
  get answered(): boolean {
    return this.#ended
  }

  /** @internal */
  get flow(): RequestFlow<unknown> {
    return this.#flowing
  }

  /** @internal No more of the body is wanted, if nobody is reading it. */
  abandonBody(): void {
    if (this.#duplex || this.#body?.locked) return
    if (this.hasBody) this.#flowing.discard()
  }

  /** @internal Its handler failed: 500 if nothing was sent, else it is broken off; not if detached. */
  fail(): void {
    if (this.#carrier.closed(this.#raw) || this.detached) return
    if (!this.headersSent) {
      this.respond({ ':status': 500 }, { endStream: true })
      this.abandonBody()
    } else if (!this.#ended && !this.#carrier.ended(this.#raw)) this.reset(http2Code.internalError)
  }

  /** @internal */
  reset(code: number): void {
    if (!this.#carrier.closed(this.#raw)) this.#carrier.reset(this.#raw, code)
  }

  /** @internal What it is to its carrier. */
  get raw(): unknown {
    return this.#raw
  }

  /** @internal */
  get carrier(): RequestCarrier {
    return this.#carrier
  }

  /** @internal */
  resolve(): ResolvedTarget {
    return { ...this.#carrier.resolve(this.#raw), wrapper: this }
  }

  /** @internal */
  override get gone(): boolean {
    return this.#carrier.closed(this.#raw)
  }

  protected override whenOver(call: (reason: CloseReason) => void): void {
    this.#flowing.whenClosed(() => {
      process.nextTick(() => call(this.#carrier.reason(this.#raw)))
    })
  }

  get #flowing(): RequestFlow<unknown> {
    return (this.#flow ??= new RequestFlow(this.#carrier, this.#raw))
  }

  /** What is waited for by nobody needs no account. */
  #writeLast(bytes: Buffer): void {
    if (this.#bodiless || bytes.length === 0 || this.#carrier.ended(this.#raw)) return
    this.#carrier.write(this.#raw, bytes)
  }

  #takeBody(): void {
    if (this.#body || this.#duplex) throw new HoldfastError('ERR_HOLDFAST_BODY_TAKEN')
    // The client waits to be asked for it (RFC 9110, section 10.1.1).
    if (this.#expectsContinue && !this.headersSent && this.hasBody) {
      this.respondInformational({ ':status': 100 })
    }
  }
}

/** Sizes of messages between threads are 32-bit; so much at once is a mistake long before. */
const kMaxBytes = 2 ** 30

function toBytes(data: unknown): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array && data.length <= kMaxBytes) {
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  }
  throw new HoldfastError(
    'ERR_HOLDFAST_INVALID_ARGUMENT',
    `data must be a string or Uint8Array of at most ${kMaxBytes} bytes`,
  )
}
