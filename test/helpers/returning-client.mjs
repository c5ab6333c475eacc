// Shared with bench/load/resume-client.mjs, which runs without a compiler.
import http2 from 'node:http2'
import { createParser } from 'eventsource-parser'

/** The number in the id of a message of a kept topic, or of a gap mark. */
function numberIn(id) {
  const digits = /^[0-9a-f]{12}-(\d+)$/.exec(id ?? '')?.[1]
  if (digits === undefined) throw new Error(`no id of a kept topic: ${id}`)
  return Number(digits)
}

export class ReturningClient {
  #port
  #session
  #lastId
  /** The number that is to come next, and whether a gap mark said so. */
  #next
  #marked = false
  last = 0
  data = ''
  received = 0
  twice = 0
  missed = 0
  grown = 0
  gaps = 0
  idleGaps = 0
  returns = 0
  threads = new Set()

  constructor(port) {
    this.#port = port
  }

  connect() {
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
            return resolve()
          }
          if (event === 'gap') this.#takeGap(id, fresh)
          else this.#take(id, data)
          fresh = false
        },
      })
      stream.setEncoding('utf8').on('data', (text) => {
        if (this.#session === session) parser.feed(text)
      })
    })
  }

  leave() {
    const session = this.#session
    this.#session = undefined
    if (!session || session.destroyed) return Promise.resolve()
    const closed = new Promise((resolve) => session.once('close', resolve))
    session.destroy()
    return closed
  }

  async comeBack() {
    await this.leave()
    this.returns++
    await this.connect()
  }

  // It has the id of the last message that is missing, so far.
  #takeGap(id, fresh) {
    const number = numberIn(id)
    this.gaps++
    if (!fresh || number < (this.#next ?? 1)) this.idleGaps++
    this.#next = number + 1
    this.#marked = true
    this.#lastId = id
  }

  #take(id, data) {
    const number = numberIn(id)
    const expected = this.#next ?? number
    if (number < expected) this.twice++
    else if (number > expected && this.#marked) this.grown++
    else if (number > expected) this.missed++
    this.#next = number + 1
    this.#marked = false
    this.#lastId = id
    this.last = number
    this.data = data
    this.received++
  }
}
