import type { Fields } from '../request/fields.js'
import type { RequestClose, RequestSink } from '../request/request-carrier.js'

/** A request that is taken over, as by a WebSocket: whoever had it still hears of its end. */
export class OneAfterAnother implements RequestSink {
  readonly #before: RequestSink
  readonly #now: RequestSink

  constructor(before: RequestSink, now: RequestSink) {
    this.#before = before
    this.#now = now
  }

  data(bytes: Buffer): void {
    this.#now.data(bytes)
  }

  ended(trailers: Fields): void {
    this.#now.ended(trailers)
  }

  closed(close: RequestClose): void {
    this.#now.closed(close)
    this.#before.closed(close)
  }
}
