// As much of HTTP/2's framing (RFC 9113) as the bench's own clients need.

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
}
export const flag = { ack: 1, endStream: 1, endHeaders: 4 }
export const kFirstWindow = 65_535
const kMostWindow = 2 ** 31 - 1
const kHeaderBytes = 9

export function frame(type, flags, stream, payload) {
  const bytes = Buffer.alloc(kHeaderBytes + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  payload.copy(bytes, kHeaderBytes)
  return bytes
}

export function uint32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A header field, in HPACK without its tables; name and value of less than 127 bytes. */
export function literal(name, value) {
  return `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`
}

/** SETTINGS with the first window of each stream (setting 4). */
export function firstWindow(bytes) {
  return frame(frameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(bytes)]))
}

/** No stream's window nor the connection's ever fills in the life of a bench. */
export const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  firstWindow(kMostWindow),
  frame(frameType.windowUpdate, 0, 0, uint32(kMostWindow - kFirstWindow)),
])

/** What a client owes for a frame of the connection; undefined if nothing. */
export function acknowledgement(type, flags, payload) {
  if (flags & flag.ack) return undefined
  if (type === frameType.settings) return frame(type, flag.ack, 0, Buffer.alloc(0))
  if (type === frameType.ping) return frame(type, flag.ack, 0, payload)
  return undefined
}

/** Cuts what arrives into frames. */
export class FrameReader {
  #rest = Buffer.alloc(0)

  /** Calls back with the type, flags, stream, and where in which bytes the payload lies. */
  take(arrived, onFrame) {
    const bytes = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived])
    let at = 0
    while (bytes.length - at >= kHeaderBytes) {
      const body = at + kHeaderBytes
      const end = body + bytes.readUIntBE(at, 3)
      if (end > bytes.length) break
      onFrame(bytes[at + 3], bytes[at + 4], bytes.readUInt32BE(at + 5), bytes, body, end)
      at = end
    }
    this.#rest = bytes.subarray(at)
  }
}
