// What the peers of abuse.mjs say: the i-th frame of a connection, behind its preface, or nothing more.
import { flag, frame, frameType } from '../lib/http2-frames.mjs'

const kPriority = 2
const kContinuation = 9
const kWholeRequest = flag.endStream | flag.endHeaders
const none = Buffer.alloc(0)

const literal = (name, value) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
const request = (path) =>
  Buffer.concat([
    literal(':method', 'GET'),
    literal(':scheme', 'http'),
    literal(':authority', '127.0.0.1'),
    literal(':path', path),
  ])
const small = request('/')
const large = request('/large')
const cancel = Buffer.from([0, 0, 0, 8])
const id = (i) => 1 + 2 * i
const ask = (i, block) => frame(frameType.headers, kWholeRequest, id(i), block)
/** The setting of a stream's first window. */
const window = (bytes) => {
  const payload = Buffer.from([0, 4, 0, 0, 0, 0])
  payload.writeUInt32BE(bytes, 2)
  return frame(frameType.settings, 0, 0, payload)
}

export const abuses = {
  PING: { frames: () => frame(frameType.ping, 0, 0, Buffer.alloc(8)) },
  SETTINGS: { frames: () => frame(frameType.settings, 0, 0, none) },
  PRIORITY: { frames: () => frame(kPriority, 0, 9, Buffer.from([0, 0, 0, 0, 16])) },
  'rapid reset': {
    frames: (i) => Buffer.concat([ask(i, small), frame(frameType.reset, 0, id(i), cancel)]),
  },
  CONTINUATION: {
    frames: (i) =>
      i === 0
        ? frame(frameType.headers, flag.endStream, 1, small)
        : frame(kContinuation, 0, 1, Buffer.from([0, 1, 97, 1, 98])),
  },
  'broken frames': { frames: (i) => frame(frameType.data, 0, id(i), Buffer.from('on no stream')) },
  'reads nothing': { reads: false, frames: (i) => (i < 16 ? ask(i, large) : undefined) },
  'window of nothing': {
    frames: (i) => (i === 0 ? window(0) : i < 50 ? ask(i, large) : undefined),
  },
  'window of a byte': {
    frames: (i) => (i === 0 ? window(1) : i < 50 ? ask(i, large) : undefined),
  },
}
