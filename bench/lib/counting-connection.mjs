// One HTTP/1.1 connection that asks for an event stream, or for a WebSocket, and counts what comes.
import { connect } from 'node:net'
import { Lane } from './lane.mjs'

const kUpgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
const kRequests = {
  h1: ['GET / HTTP/1.1', 'Accept: text/event-stream'],
  ws: ['GET / HTTP/1.1', ...kUpgrade],
  'socket.io': ['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', ...kUpgrade],
}
/** A masked text frame, of a mask that changes nothing: socket.io's "40", which joins its namespace. */
const kJoin = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30])

export class CountingConnection {
  answered = 0
  faults = 0
  lanes = [new Lane((bytes) => this.socket.write(bytes))]
  #head = ''
  #carrier

  constructor(port, carrier) {
    this.#carrier = carrier
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (bytes) => this.#take(bytes))
    this.socket.on('error', () => this.faults++).on('close', () => this.faults++)
    this.socket.write([...kRequests[carrier], 'Host: 127.0.0.1', '', ''].join('\r\n'))
  }

  get events() {
    return this.lanes[0].finder.events
  }

  get bytes() {
    return this.lanes[0].finder.bytes
  }

  #take(bytes) {
    if (this.answered === 0) this.#opening(bytes)
    else if (!this.lanes[0].take(bytes)) this.faults++
  }

  /** Until it is open; nothing is published before all are. */
  #opening(bytes) {
    const joining = this.#head.includes('0{"sid"')
    this.#head += bytes.latin1Slice()
    if (!this.#head.includes('\r\n\r\n')) return
    if (!/^HTTP\/1.1 (200|101)/.test(this.#head)) this.faults++
    if (this.#carrier !== 'socket.io') this.answered = 1
    else if (this.#head.includes('40{"sid"')) this.answered = 1
    else if (!joining && this.#head.includes('0{"sid"')) this.socket.write(kJoin)
  }
}
