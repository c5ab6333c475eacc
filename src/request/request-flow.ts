import { HoldfastError } from '../errors.js'
import type { Fields } from './fields.js'
import { Pieces } from './pieces.js'
import type { RequestCarrier, RequestClose, RequestSink } from './request-carrier.js'

/** Bytes written and not yet taken by the socket at which `write` asks to wait. */
const kHighWaterBytes = 64 * 1024

interface Waiting<Value> {
  readonly resolve: (value: Value) => void
  readonly reject: (error: HoldfastError) => void
}

type WhenClosed = (close: RequestClose) => void

/** What is under way of one request, in both directions; made when the first of it is. */
export class RequestFlow<Raw> implements RequestSink {
  readonly #carrier: RequestCarrier<Raw>
  readonly #raw: Raw
  readonly #chunks = new Pieces()
  #reading = false
  #discarded = false
  #waiting: Waiting<Uint8Array | undefined> | undefined
  #ended = false
  #closed: RequestClose | undefined
  #error: HoldfastError | undefined
  #abort: AbortController | undefined
  #trailers: Fields | undefined
  readonly #trailersWaiting: Waiting<Fields>[] = []
  #unwritten = 0
  readonly #drainWaiting: ((writable: boolean) => void)[] = []
  readonly #whenClosed: WhenClosed[] = []

  constructor(carrier: RequestCarrier<Raw>, raw: Raw) {
    this.#carrier = carrier
    this.#raw = raw
    carrier.attach(raw, this)
  }

  get bodyEnded(): boolean {
    return this.#ended
  }

  /** What those who wait are told once it is over. Made when asked for: most have nobody waiting. */
  get error(): HoldfastError {
    return (this.#error ??= abortError(this.#closed?.code ?? 0))
  }

  /** Aborted when the stream breaks off before its answer is complete. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      if (this.#closed && !this.#closed.complete) this.#abort.abort(this.error)
    }
    return this.#abort.signal
  }

  /** Calls when the stream is over, at once if it is already. */
  whenClosed(call: WhenClosed): void {
    if (this.#closed) call(this.#closed)
    else this.#whenClosed.push(call)
  }

  /** Whether there is room for more. */
  write(bytes: Buffer): boolean {
    this.#unwritten += bytes.length
    this.#carrier.write(this.#raw, bytes, () => this.#written(bytes.length))
    return this.#unwritten < kHighWaterBytes
  }

  /** True when there is room, false when there is nobody left to write to. */
  drained(): Promise<boolean> {
    if (this.#closed || this.#carrier.ended(this.#raw)) return Promise.resolve(false)
    if (this.#unwritten < kHighWaterBytes) return Promise.resolve(true)
    return new Promise((resolve) => this.#drainWaiting.push(resolve))
  }

  /** The next piece of the body, undefined at its end. Ask for one at a time. */
  next(): Promise<Uint8Array | undefined> {
    this.#read()
    const chunk = this.#chunks.shift()
    if (chunk) {
      this.#carrier.consume(this.#raw, chunk.length)
      return Promise.resolve(chunk)
    }
    if (this.#ended || this.#discarded) return Promise.resolve(undefined)
    if (this.#closed) return Promise.reject(this.error)
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }))
  }

  discard(): void {
    if (this.#discarded || this.#ended) return
    this.#discarded = true
    this.#chunks.clear()
    this.#waiting?.resolve(undefined)
    this.#waiting = undefined
    if (!this.#closed) this.#carrier.discard(this.#raw)
  }

  trailers(): Promise<Fields> {
    if (this.#trailers) return Promise.resolve(this.#trailers)
    if (this.#closed) return Promise.reject(this.error)
    return new Promise((resolve, reject) => this.#trailersWaiting.push({ resolve, reject }))
  }

  data(bytes: Buffer): void {
    if (this.#discarded) return
    const waiting = this.#waiting
    if (!waiting) {
      this.#chunks.push(bytes)
      return
    }
    this.#waiting = undefined
    waiting.resolve(bytes)
    this.#carrier.consume(this.#raw, bytes.length)
  }

  ended(trailers: Fields): void {
    this.#ended = true
    this.#trailers = trailers
    this.#waiting?.resolve(undefined)
    this.#waiting = undefined
    for (const { resolve } of this.#trailersWaiting.splice(0)) resolve(trailers)
  }

  closed(close: RequestClose): void {
    this.#closed = close
    this.#waiting?.reject(this.error)
    this.#waiting = undefined
    for (const { reject } of this.#trailersWaiting.splice(0)) reject(this.error)
    for (const resolve of this.#drainWaiting.splice(0)) resolve(false)
    for (const call of this.#whenClosed.splice(0)) call(close)
    if (!close.complete) this.#abort?.abort(this.error)
  }

  #read(): void {
    if (this.#reading) return
    this.#reading = true
    if (!this.#closed) this.#carrier.read(this.#raw)
  }

  #written(bytes: number): void {
    this.#unwritten -= bytes
    if (this.#unwritten >= kHighWaterBytes / 2) return
    // What never will be written counts as written. Of one that has ended, `closed` tells.
    if (this.#closed || this.#carrier.ended(this.#raw)) return
    for (const resolve of this.#drainWaiting.splice(0)) resolve(true)
  }
}

function abortError(code: number): HoldfastError {
  const cause = code === 0 ? undefined : new Error(`the stream was reset with code ${code}`)
  return new HoldfastError('ERR_HOLDFAST_ABORTED', undefined, cause)
}
