import type { Carrier } from '../carrier.js'
import type { CloseReason } from '../stream-info.js'
import type { StreamClose } from '../stream.js'
import type { Channel, ChannelEvents } from './channel.js'
import { closeCode, closeCodeOf, isReset } from './close-codes.js'
import { DeflatingSender } from './deflating-sender.js'
import type { WebSocketFace } from './face.js'
import type { Agreement } from './handshake.js'
import { listenTo } from './listening.js'
import { kDeflateExtension, Receiver, Sender } from './ws-parts.js'
import { http2Code } from '../http2-codes.js'
import { callUser } from '../uncaught.js'

/** What a connection tells. Called on its thread; what it throws is the callee's own affair. */
export interface ConnectionEvents {
  message(data: Buffer, isBinary: boolean): void
  ping(data: Buffer): void
  pong(data: Buffer): void
  /** The peer broke the protocol or a limit; `closing` follows. */
  error(error: Error): void
  /** It ends from here on: by the peer's Close frame, its going without one, or its fault. */
  closing(reason: CloseReason): void
}

const opcode = { close: 8, ping: 9, pong: 10 } as const

/** How long a peer may take to end once the manager has gone, in ms; the native sweep's time. */
const kStuckMs = 5000
/** How long a peer may take to end its side once ours has ended, in ms: nghttpx never does. */
const kLingerMs = 1000
/** Small pieces cost much more memory than their bytes, so a message may come in so many at most. */
const kMinPieces = 1024
const kBytesAPiece = 64

/**
 * One WebSocket (RFC 6455) on its stream: receives, answers pings, and does the closing handshake.
 * It is the carrier of that one stream: what comes to it from `send` is framed already.
 */
export class WebSocketConnection implements Carrier, ChannelEvents {
  readonly agreement: Agreement
  /** Its `ws`-shaped object, if somebody asked for one. */
  face: WebSocketFace | undefined
  readonly #channel: Channel
  readonly #below: Carrier
  readonly #raw: unknown
  readonly #receiver: Receiver
  readonly #deflating: DeflatingSender | undefined
  /** Undefined until it is open; it may be ended before. */
  #events: ConnectionEvents | undefined
  /** The stream was un-registered: nothing more is told of it. */
  #isReleased = false
  /** Answers the request; undefined when that is done. */
  #answer: (() => void) | undefined
  /** Nothing more is taken from the peer: its Close came, it ended, or it failed. */
  #isDeaf = false
  #isPaused = false
  #closeSent = false
  #farewell: { code: number; text: string } | undefined
  #ownText = ''
  #pongInFlight = false
  #nextPong: Buffer | undefined

  constructor(channel: Channel, agreement: Agreement, maxMessageBytes: number, answer: () => void) {
    this.agreement = agreement
    this.#channel = channel
    this.#below = channel.carrier
    this.#raw = channel.raw
    this.#answer = answer
    const { deflate } = agreement
    if (deflate && channel.duplex) {
      this.#deflating = new DeflatingSender(channel.duplex, deflate)
    }
    const pieces = Math.max(kMinPieces, Math.ceil(maxMessageBytes / kBytesAPiece))
    this.#receiver = new Receiver({
      isServer: true,
      extensions: deflate ? { [kDeflateExtension]: deflate } : {},
      maxPayload: maxMessageBytes,
      maxFragments: pieces,
      maxBufferedChunks: pieces,
    })
  }

  /** Answers the request, if nothing has been sent yet, and begins to receive. */
  open(events: ConnectionEvents): void {
    if (!this.#isReleased) this.#events = events
    this.#begin()
    listenTo(this.#receiver, this)
    this.#channel.open(this)
  }

  get isClosing(): boolean {
    return this.#closeSent || this.#isDeaf
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Takes no more from the peer, whom flow control will stop, until `resume`. */
  pause(): void {
    // The peer's answer to a Close is always read.
    if (this.isClosing) return
    this.#isPaused = true
    this.#channel.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#receiver.writableNeedDrain) this.#channel.resume()
  }

  /** False if it is not sent; `done` is not called then. */
  ping(data: Buffer, done?: () => void): boolean {
    if (this.ended(this.#raw)) return false
    if (this.#deflating) this.#deflating.ping(data, done)
    else this.#control(opcode.ping, data, done)
    return true
  }

  /** The same. */
  pong(data: Buffer, done?: () => void): boolean {
    if (this.ended(this.#raw)) return false
    if (this.#deflating) this.#deflating.pong(data, done)
    else this.#control(opcode.pong, data, done)
    return true
  }

  /** Breaks off, without a Close frame. */
  terminate(): void {
    this.#below.reset(this.#raw, http2Code.cancel)
  }

  ended(raw: unknown): boolean {
    return this.#closeSent || this.#isDeaf || this.#below.ended(raw)
  }

  write(raw: unknown, frames: Buffer, done?: (error?: unknown) => void): void {
    this.#begin()
    if (this.#deflating) this.#deflating.write(frames, done)
    else this.#below.write(raw, frames, done)
  }

  cork(raw: unknown): void {
    this.#below.cork(raw)
  }

  uncork(raw: unknown): void {
    this.#below.uncork(raw)
  }

  /** Begins the closing handshake; the stream ends when the peer has answered. */
  close(_raw: unknown, reason: CloseReason, code: number, text: string): void {
    this.#ownText = text
    if (isReset(code)) return this.#below.reset(this.#raw, code)
    this.#sendClose(code || (reason === 'close' ? closeCode.normal : closeCode.goingAway), text)
    // The peer's answer comes behind all it sent before.
    this.resume()
  }

  end(): void {
    this.#sendClose(closeCode.goingAway, '')
    this.#finish()
  }

  reset(raw: unknown, code: number): void {
    this.#below.reset(raw, code)
  }

  reason(raw: unknown): CloseReason {
    const reason = this.#below.reason(raw)
    return reason === 'end' && !this.#farewell ? 'abort' : reason
  }

  farewell(): { code: number; text: string } {
    return this.#farewell ?? { code: closeCode.abnormal, text: this.#ownText }
  }

  released(close: StreamClose): void {
    this.#isReleased = true
    this.#events = undefined
    callUser(() => this.face?.handleClose(close))
    if (this.#channel.isClosed) return
    // The manager has gone, and its sweep: nobody else will look after the peer's answer.
    this.end()
    this.#channel.resetAfter(kStuckMs, http2Code.cancel)
  }

  handleData(chunk: Buffer): void {
    if (this.#isDeaf || this.#receiver.write(chunk)) return
    // What it has just read may have been the peer's Close.
    if (!this.#isDeaf) this.#channel.pause()
  }

  handleDrain(): void {
    if (!this.#isPaused) this.#channel.resume()
  }

  handleMessage(data: Buffer, isBinary: boolean): void {
    if (!this.#closeSent) this.#events?.message(data, isBinary)
  }

  /**
   * Of pings that come faster than they can be answered, the last one is (RFC 6455, section 5.5.3): a
   * peer that does not read must not pile up answers.
   */
  handlePing(data: Buffer): void {
    if (this.#pongInFlight) this.#nextPong = Buffer.from(data)
    else this.#answerPing(data)
    this.#events?.ping(data)
  }

  handlePong(data: Buffer): void {
    this.#events?.pong(data)
  }

  /** The peer's Close frame. */
  handleConclude(code: number, reason: Buffer): void {
    this.#farewell = { code, text: reason.toString() }
    this.#goDeaf('end')
    this.#sendClose(code === closeCode.none ? undefined : code, reason.toString())
    this.#finish()
  }

  handleError(error: Error): void {
    const code = closeCodeOf(error)
    this.#farewell = { code, text: error.message }
    this.#events?.error(error)
    this.#goDeaf('reset')
    this.#sendClose(code, '')
    this.#finish()
  }

  /** The peer's side ended; without a Close frame, if we are not deaf yet. */
  handleEnd(): void {
    if (this.#isDeaf) return
    // Messages may still be on their way through zlib.
    this.#receiver.once('finish', () => {
      if (this.#isDeaf) return
      this.#goDeaf('abort')
      this.#finish()
    })
    this.#receiver.end()
  }

  handleClose(): void {
    const receiver = this.#receiver
    const { deflate } = this.agreement
    this.#isDeaf = true
    receiver.end()
    if (!deflate) return
    // While the receiver inflates, zlib's memory is in use, and its turn in the queue for it.
    const cleanup = (): void => deflate.cleanup()
    if (receiver.writableFinished || receiver.errored) cleanup()
    else receiver.once('finish', cleanup).once('error', cleanup)
  }

  #begin(): void {
    const answer = this.#answer
    this.#answer = undefined
    if (!this.#below.ended(this.#raw)) answer?.()
  }

  #goDeaf(reason: CloseReason): void {
    this.#isDeaf = true
    this.#events?.closing(reason)
    // What still comes is read and forgotten, so that the end is seen.
    this.#channel.resume()
  }

  #answerPing(data: Buffer): void {
    this.#pongInFlight = true
    this.pong(data, () => {
      this.#pongInFlight = false
      const next = this.#nextPong
      this.#nextPong = undefined
      if (next) this.#answerPing(next)
    })
  }

  #sendClose(code: number | undefined, text: string): void {
    if (this.#closeSent || this.#below.ended(this.#raw)) return
    this.#begin()
    this.#closeSent = true
    if (this.#deflating) return this.#deflating.close(code, text)
    const payload = Buffer.alloc(code === undefined ? 0 : 2 + Buffer.byteLength(text))
    if (code !== undefined) {
      payload.writeUInt16BE(code)
      payload.write(text, 2)
    }
    this.#control(opcode.close, payload)
  }

  #control(kind: number, payload: Buffer, done?: () => void): void {
    this.#begin()
    const parts = Sender.frame(payload, { opcode: kind, fin: true, mask: false, rsv1: false })
    this.#below.write(this.#raw, Buffer.concat(parts), done)
  }

  /** Ends our side, behind all that was written. */
  #finish(): void {
    const end = (): void => {
      if (this.#below.ended(this.#raw)) return
      this.#channel.linger(kLingerMs)
      this.#below.end(this.#raw)
    }
    if (this.#deflating) this.#deflating.whenIdle(end)
    else end()
  }
}
