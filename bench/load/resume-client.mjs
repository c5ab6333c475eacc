// The clients of resume.mjs. Each minds the numbers of what it gets, over all its connections.
import http2 from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'

const kDeadlineMs = 120_000
const threads = new Set()
const totals = { received: 0, twice: 0, missed: 0, gaps: 0, idleGaps: 0, returns: 0 }
let clients = []
let staying = false

const numberIn = (id) => Number(/^[0-9a-f]{12}-(\d+)$/.exec(id ?? '')?.[1])

class Client {
  data = ''
  #port
  #session
  #lastId
  #last = 0
  #gap = false

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
            threads.add(data)
            return resolve()
          }
          if (event === 'gap') this.#takeGap(id, fresh)
          else this.#take(id, data)
          fresh = false
        },
      })
      stream
        .setEncoding('utf8')
        .on('data', (text) => this.#session === session && parser.feed(text))
    })
  }

  leave() {
    const session = this.#session
    this.#session = undefined
    const closed = new Promise((resolve) => session.once('close', resolve))
    session.destroy()
    return closed
  }

  async comeAndGo() {
    while (!staying) {
      await sleep(5 + Math.random() * 100)
      await this.leave()
      await sleep(Math.random() * 20)
      totals.returns++
      await this.connect()
    }
  }

  #takeGap(id, fresh) {
    totals.gaps++
    if (!fresh || numberIn(id) <= this.#last) totals.idleGaps++
    this.#gap = true
    this.#lastId = id
  }

  #take(id, data) {
    const number = numberIn(id)
    if (number <= this.#last) totals.twice++
    else if (this.#last > 0 && number !== this.#last + 1 && !this.#gap) totals.missed++
    this.#gap = false
    this.#last = number
    this.#lastId = id
    this.data = data
    totals.received++
  }
}

let coming
answerParent({
  async connect({ port, clients: count }) {
    clients = Array.from({ length: count }, () => new Client(port))
    await Promise.all(clients.map((client) => client.connect()))
  },
  comeAndGo() {
    coming = Promise.all(clients.map((client) => client.comeAndGo()))
  },
  async stay() {
    staying = true
    await coming
  },
  async seen({ text }) {
    const complete = () => clients.filter(({ data }) => data === text).length
    await until(`the ${text} event`, () => complete() === clients.length, kDeadlineMs)
    return { ...totals, complete: complete(), threads: threads.size }
  },
})
