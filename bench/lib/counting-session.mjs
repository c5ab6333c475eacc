// An HTTP/2 client of frames and bytes: it asks for event streams and counts what comes, at a fraction
// of what a real client costs, so that it does not slow down the server that it shares a machine with.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { kEventBytes, numberAt } from './event.mjs'
import { EventFinder } from './event-finder.mjs'
import { acknowledgement, flag, frame, FrameReader, frameType, preface } from './http2-frames.mjs'

/** GET, http and / from the static table of HPACK, an authority, and what is accepted. */
const kRequest = Buffer.from('\x82\x86\x84\x41\x09127.0.0.1\x0f\x04\x11text/event-stream', 'latin1')

export class CountingSession {
  answered = 0
  frames = 0
  events = 0
  /** Frames that are no whole events, events out of order, streams that ended. */
  faults = 0
  #asked = 0
  #next
  #finders
  #reader = new FrameReader()
  #socket

  /**
   * With `marked`, events are found by their marks, whatever else is sent with them; with `tls`, over
   * TLS, whoever answers. Asks for all streams at once, if `asks`.
   */
  constructor(port, streams, { marked = false, tls = false, asks = true } = {}) {
    this.#finders = marked && Array.from({ length: streams }, () => new EventFinder())
    this.#next = new Int32Array(streams)
    const where = { port, host: '127.0.0.1' }
    this.#socket = tls
      ? connectTls({ ...where, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : connect(where)
    this.#socket.setNoDelay(true)
    const onFrame = (...words) => this.#frame(...words)
    this.#socket.on('data', (bytes) => this.#reader.take(bytes, onFrame))
    this.#socket.on('error', () => this.faults++)
    this.#socket.write(preface)
    if (asks) this.ask(streams)
  }

  ask(streams) {
    const requests = Array.from({ length: streams }, () =>
      frame(frameType.headers, flag.endHeaders | flag.endStream, 2 * this.#asked++ + 1, kRequest),
    )
    this.#socket.write(Buffer.concat(requests))
  }

  /** How many streams have seen every event up to `number`. */
  complete(number) {
    return this.#next.filter((next) => next === number).length
  }

  close() {
    this.#socket.destroy()
  }

  #frame(type, flags, stream, bytes, body, end) {
    if (type === frameType.data) {
      this.frames++
      if (flags & flag.endStream) this.faults++
      const index = (stream - 1) / 2
      if (this.#finders) this.#find(this.#finders[index], bytes.subarray(body, end))
      else this.#count(index, bytes, body, end)
    } else if (type === frameType.headers) {
      this.answered++
    } else if (type === frameType.reset || type === frameType.goaway) {
      this.faults++
    } else {
      const owed = acknowledgement(type, flags, bytes.subarray(body, end))
      if (owed) this.#socket.write(owed)
    }
  }

  #find(finder, data) {
    const before = finder.events
    if (!finder.take(data)) this.faults++
    this.events += finder.events - before
  }

  #count(index, bytes, body, end) {
    if ((end - body) % kEventBytes !== 0) this.faults++
    for (let event = body; event < end; event += kEventBytes) {
      this.events++
      if (numberAt(bytes, event) !== this.#next[index]) this.faults++
      this.#next[index]++
    }
  }
}
