// An HTTP/2 client of frames and bytes: it asks for event streams and counts what comes, at a fraction
// of what a real client costs, so that it does not slow down the server that it shares a machine with.
import { connect } from 'node:net'
import { kEventBytes, numberAt } from './event.mjs'
import { EventFinder } from './event-finder.mjs'

const kData = 0
const kHeaders = 1
const kSettings = 4
const kPing = 6
const kAck = 1
const kEndStream = 1
const kEndHeaders = 4
const kMostWindow = 2 ** 31 - 1
const kHeaderBytes = 9

function frame(type, flags, stream, payload) {
  const bytes = Buffer.alloc(kHeaderBytes + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  payload.copy(bytes, kHeaderBytes)
  return bytes
}

function uint32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** No stream's window (setting 4) nor the connection's ever fills in the life of a bench. */
const kPreface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(kSettings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(kMostWindow)])),
  frame(8, 0, 0, uint32(kMostWindow - 65_535)),
])
/** GET, http and / from the static table of HPACK, an authority, and what is accepted. */
const kRequest = Buffer.from('\x82\x86\x84\x41\x09127.0.0.1\x0f\x04\x11text/event-stream', 'latin1')

export class CountingSession {
  answered = 0
  frames = 0
  events = 0
  /** Frames that are no whole events, events out of order, streams that ended. */
  faults = 0
  #next
  #finders
  #rest = Buffer.alloc(0)
  #socket

  /** With `marked`, events are found by their marks, whatever else is sent with them. */
  constructor(port, streams, marked = false) {
    this.#finders = marked && Array.from({ length: streams }, () => new EventFinder())
    this.#next = new Int32Array(streams)
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (bytes) => this.#read(bytes))
    this.#socket.on('error', () => this.faults++)
    const requests = Array.from({ length: streams }, (_, i) =>
      frame(kHeaders, kEndHeaders | kEndStream, 2 * i + 1, kRequest),
    )
    this.#socket.write(Buffer.concat([kPreface, ...requests]))
  }

  /** How many streams have seen every event up to `number`. */
  complete(number) {
    return this.#next.filter((next) => next === number).length
  }

  #read(arrived) {
    const bytes = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived])
    let at = 0
    while (bytes.length - at >= kHeaderBytes) {
      const end = at + kHeaderBytes + bytes.readUIntBE(at, 3)
      if (end > bytes.length) break
      this.#frame(bytes, at, end)
      at = end
    }
    this.#rest = bytes.subarray(at)
  }

  #frame(bytes, at, end) {
    const type = bytes[at + 3]
    const flags = bytes[at + 4]
    const stream = bytes.readUInt32BE(at + 5)
    const body = at + kHeaderBytes
    if (type === kData) {
      this.frames++
      if (flags & kEndStream) this.faults++
      const index = (stream - 1) / 2
      if (this.#finders) {
        const finder = this.#finders[index]
        const before = finder.events
        if (!finder.take(bytes.subarray(body, end))) this.faults++
        this.events += finder.events - before
        return
      }
      if ((end - body) % kEventBytes !== 0) this.faults++
      for (let event = body; event < end; event += kEventBytes) {
        this.events++
        if (numberAt(bytes, event) !== this.#next[index]) this.faults++
        this.#next[index]++
      }
    } else if (type === kHeaders) {
      this.answered++
    } else if (type === kSettings && !(flags & kAck)) {
      this.#socket.write(frame(kSettings, kAck, 0, Buffer.alloc(0)))
    } else if (type === kPing && !(flags & kAck)) {
      this.#socket.write(frame(kPing, kAck, 0, bytes.subarray(body, end)))
    } else if (type === 3 || type === 7) {
      this.faults++ // RST_STREAM, GOAWAY
    }
  }
}
