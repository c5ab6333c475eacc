import { Duplex } from 'node:stream'
import type { RequestFlow } from './request-flow.js'
import type { RequestStream } from './request-stream.js'
import { http2Code } from '../http2-codes.js'

/** A request and its answer as a Duplex of Node. Its peer's going is its `error`, uncaught by nobody. */
export class RequestDuplex extends Duplex {
  readonly #stream: RequestStream
  readonly #flow: RequestFlow<unknown>
  #over = false

  /** @internal */
  constructor(stream: RequestStream, flow: RequestFlow<unknown>) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    this.#flow = flow
    this.on('error', () => {})
    flow.whenClosed(({ complete }) => {
      this.#over = true
      const isWhole = complete && (stream.answered || stream.bodiless)
      if (!isWhole || !flow.bodyEnded) this.destroy(flow.error)
    })
  }

  override _read(): void {
    this.#flow.next().then(
      (chunk) => this.push(chunk ?? null),
      (error: Error) => this.destroy(error),
    )
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#stream.write(chunk)
    if (this.#stream.bodiless) return done()
    void this.#flow.drained().then((writable) => done(writable ? undefined : this.#flow.error))
  }

  override _final(done: () => void): void {
    this.#stream.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const finished = this.writableFinished && this.#flow.bodyEnded
    if (!this.#over && !finished)
      this.#stream.reset(error ? http2Code.internalError : http2Code.cancel)
    done(error)
  }
}
