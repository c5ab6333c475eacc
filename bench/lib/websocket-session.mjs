// WebSockets on one HTTP/2 connection (RFC 8441), by frames and bytes as counting-session.mjs.
import { connect } from 'node:net'
import {
  acknowledgement,
  flag,
  frame,
  FrameReader,
  frameType,
  kFirstWindow,
  literal,
  preface,
} from './http2-frames.mjs'
import { Lane } from './lane.mjs'

const kEnableConnect = 8
const kSetting = 6
const kInitialWindow = 4

const kRequest = Buffer.from(
  [
    literal(':method', 'CONNECT'),
    literal(':protocol', 'websocket'),
    '\x86\x84',
    literal(':authority', '127.0.0.1'),
    literal('sec-websocket-version', '13'),
  ].join(''),
  'latin1',
)
/** `:status: 200` in the static table. */
const kOk = 0x88

export class WebSocketSession {
  answered = 0
  faults = 0
  lanes
  #reader = new FrameReader()
  #socket
  /** What may be sent: on the connection, and on each stream. */
  #window = kFirstWindow
  #windows

  constructor(port, streams) {
    this.lanes = Array.from(
      { length: streams },
      (_, index) => new Lane((bytes) => this.#send(index, bytes)),
    )
    this.#windows = new Array(streams).fill(kFirstWindow)
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const onFrame = (...words) => this.#frame(...words)
    this.#socket.on('data', (bytes) => {
      this.#socket.cork()
      this.#reader.take(bytes, onFrame)
      this.#socket.uncork()
    })
    this.#socket.on('error', () => this.faults++).on('close', () => this.faults++)
    this.#socket.write(preface)
  }

  get events() {
    return this.lanes.reduce((sum, { finder }) => sum + finder.events, 0)
  }

  get bytes() {
    return this.lanes.reduce((sum, { finder }) => sum + finder.bytes, 0)
  }

  #send(index, bytes) {
    this.#window -= bytes.length
    this.#windows[index] -= bytes.length
    // The bench keeps less on its way than fits the smallest window there is.
    if (this.#window < 0 || this.#windows[index] < 0) this.faults++
    this.#socket.write(frame(frameType.data, 0, 2 * index + 1, bytes))
  }

  #frame(type, flags, stream, bytes, body, end) {
    const index = (stream - 1) / 2
    if (type === frameType.data) {
      if (flags & flag.endStream || !this.lanes[index].take(bytes.subarray(body, end)))
        this.faults++
    } else if (type === frameType.headers) {
      if (bytes[body] === kOk) this.answered++
      else this.faults++
    } else if (type === frameType.windowUpdate) {
      const grown = bytes.readUInt32BE(body)
      if (stream === 0) this.#window += grown
      else this.#windows[index] += grown
    } else if (type === frameType.reset || type === frameType.goaway) {
      this.faults++
    } else {
      const owed = acknowledgement(type, flags, bytes.subarray(body, end))
      if (owed) this.#socket.write(owed)
      if (owed && type === frameType.settings) this.#open(bytes.subarray(body, end))
    }
  }

  /** The server's settings are what allows extended CONNECT (section 3). */
  #open(settings) {
    let allowed = false
    for (let at = 0; at < settings.length; at += kSetting) {
      const id = settings.readUInt16BE(at)
      const value = settings.readUInt32BE(at + 2)
      if (id === kEnableConnect) allowed = value === 1
      if (id === kInitialWindow) this.#windows.fill(value)
    }
    if (!allowed) this.faults++
    for (const index of this.lanes.keys()) {
      this.#socket.write(frame(frameType.headers, flag.endHeaders, 2 * index + 1, kRequest))
    }
  }
}
