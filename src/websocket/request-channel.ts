import type { RequestCarrier, RequestSink } from '../request/request-carrier.js'
import { Pieces } from '../request/pieces.js'
import type { Channel, ChannelEvents } from './channel.js'

/** A request that is no stream of Node's, by the operations of its carrier. */
export class RequestChannel implements Channel, RequestSink {
  readonly raw: unknown
  readonly carrier: RequestCarrier
  readonly duplex = undefined
  #events: ChannelEvents | undefined
  #isPaused = false
  /** What came while it was paused. */
  readonly #waiting = new Pieces()
  #hasEnded = false
  #timer: NodeJS.Timeout | undefined

  constructor(raw: unknown, carrier: RequestCarrier) {
    this.raw = raw
    this.carrier = carrier
  }

  get isClosed(): boolean {
    return this.carrier.closed(this.raw)
  }

  open(events: ChannelEvents): void {
    this.#events = events
    this.carrier.attach(this.raw, this)
    if (!this.isClosed) this.carrier.read(this.raw)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#deliver()
  }

  resetAfter(ms: number, code: number): void {
    this.#after(ms, () => this.carrier.reset(this.raw, code))
  }

  linger(ms: number): void {
    this.#after(ms, () => this.carrier.discard(this.raw))
  }

  data(bytes: Buffer): void {
    this.#waiting.push(bytes)
    this.#deliver()
  }

  ended(): void {
    this.#hasEnded = true
    this.#deliver()
  }

  closed(): void {
    clearTimeout(this.#timer)
    this.#events?.handleClose()
  }

  #deliver(): void {
    while (!this.#isPaused) {
      const bytes = this.#waiting.shift()
      if (!bytes) break
      this.carrier.consume(this.raw, bytes.length)
      this.#events?.handleData(bytes)
    }
    if (this.#hasEnded && !this.#isPaused) {
      this.#hasEnded = false
      this.#events?.handleEnd()
    }
  }

  #after(ms: number, act: () => void): void {
    if (this.isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(act, ms).unref()
  }
}
