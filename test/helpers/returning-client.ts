import http2, { type ClientHttp2Session } from 'node:http2'
import { createParser } from 'eventsource-parser'
import { numberIn } from './event-list.js'

/** A client of one event stream that goes and comes back, and minds the numbers of what it gets. */
export class ReturningClient {
  readonly #port: number
  #session: ClientHttp2Session | undefined
  #lastId: string | undefined
  #gap = false
  /** The number it has got last. */
  last = 0
  received = 0
  /** What came again, or out of order. */
  twice = 0
  /** Numbers that never came, without a gap mark where they were missing. */
  missed = 0
  /** Gap marks, and those where nothing was missing, or not at the beginning of a connection. */
  gaps = 0
  idleGaps = 0
  returns = 0
  readonly threads = new Set<string>()

  constructor(port: number) {
    this.#port = port
  }

  /** Connects, anew and to whichever thread; resolves when that has made it a member. */
  connect(): Promise<void> {
    const session = http2.connect(`http://127.0.0.1:${this.#port}`)
    this.#session = session
    session.on('error', () => {})
    const headers = this.#lastId === undefined ? {} : { 'last-event-id': this.#lastId }
    const stream = session.request({ ':path': '/', ...headers })
    stream.on('error', () => {})
    return new Promise((resolve) => {
      let fresh = true
      const parser = createParser({
        onEvent: ({ event, id, data }) => {
          if (event === 'thread') {
            this.threads.add(data)
            resolve()
          } else if (event === 'gap') {
            this.#takeGap(id, fresh)
          } else {
            this.#take(numberIn(id), id)
          }
          if (event !== 'thread') fresh = false
        },
      })
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (this.#session === session) parser.feed(text)
      })
    })
  }

  leave(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    if (!session || session.destroyed) return Promise.resolve()
    const closed = new Promise<void>((resolve) => session.once('close', () => resolve()))
    session.destroy()
    return closed
  }

  async comeBack(): Promise<void> {
    await this.leave()
    this.returns++
    await this.connect()
  }

  #takeGap(id: string | undefined, fresh: boolean): void {
    this.gaps++
    if (!fresh || numberIn(id) <= this.last) this.idleGaps++
    this.#gap = true
    this.#lastId = id
  }

  #take(number: number, id: string | undefined): void {
    if (number <= this.last) this.twice++
    else if (this.last > 0 && number > this.last + 1 && !this.#gap) this.missed++
    this.#gap = false
    this.last = number
    this.#lastId = id
    this.received++
  }
}
