import type { Readable } from 'node:stream'
import type { Fields } from '../request/fields.js'
import type { RequestSink } from '../request/request-carrier.js'

/** Bytes that a handler may have been brought and not consumed before its peer is read no further. */
const kReadAheadBytes = 16 * 1024

/** The incoming half of a request of Node's http or http2, brought to its sink as that consumes it. */
export class RequestInput {
  readonly #readable: Readable
  readonly #sink: RequestSink
  #unconsumed = 0

  constructor(readable: Readable, sink: RequestSink) {
    this.#readable = readable
    this.#sink = sink
  }

  /** `trailers` is asked at the end; undefined if that was no end but a break. */
  read(trailers: () => Fields | undefined): void {
    const ended = (): void => {
      const fields = trailers()
      if (fields) this.#sink.ended(fields)
    }
    if (this.#readable.readableEnded) ended()
    else this.#readable.on('end', ended).on('data', this.#onData)
  }

  consume(bytes: number): void {
    this.#unconsumed -= bytes
    if (this.#unconsumed === 0 && this.#readable.isPaused()) this.#readable.resume()
  }

  discard(): void {
    this.#readable.off('data', this.#onData)
    this.#readable.resume()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#unconsumed += chunk.length
    if (this.#unconsumed >= kReadAheadBytes) this.#readable.pause()
    this.#sink.data(chunk)
  }
}
