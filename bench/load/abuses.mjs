// What the peers of abuse.mjs say: the i-th frame of a connection, behind its preface, or nothing more.
import { firstWindow, flag, frame, frameType, literal, uint32 } from '../lib/http2-frames.mjs'

const kWholeRequest = flag.endStream | flag.endHeaders
const none = Buffer.alloc(0)

const request = (path) =>
  Buffer.from(
    [
      literal(':method', 'GET'),
      literal(':scheme', 'http'),
      literal(':authority', '127.0.0.1'),
      literal(':path', path),
    ].join(''),
    'latin1',
  )
const small = request('/')
const large = request('/large')
const cancel = uint32(8)
const id = (i) => 1 + 2 * i
const ask = (i, block) => frame(frameType.headers, kWholeRequest, id(i), block)

export const abuses = {
  PING: { frames: () => frame(frameType.ping, 0, 0, Buffer.alloc(8)) },
  SETTINGS: { frames: () => frame(frameType.settings, 0, 0, none) },
  PRIORITY: { frames: () => frame(frameType.priority, 0, 9, Buffer.from([0, 0, 0, 0, 16])) },
  'rapid reset': {
    frames: (i) => Buffer.concat([ask(i, small), frame(frameType.reset, 0, id(i), cancel)]),
  },
  CONTINUATION: {
    frames: (i) =>
      i === 0
        ? frame(frameType.headers, flag.endStream, 1, small)
        : frame(frameType.continuation, 0, 1, Buffer.from([0, 1, 97, 1, 98])),
  },
  'broken frames': { frames: (i) => frame(frameType.data, 0, id(i), Buffer.from('on no stream')) },
  'reads nothing': { reads: false, frames: (i) => (i < 16 ? ask(i, large) : undefined) },
  'window of nothing': {
    frames: (i) => (i === 0 ? firstWindow(0) : i < 50 ? ask(i, large) : undefined),
  },
  'window of a byte': {
    frames: (i) => (i === 0 ? firstWindow(1) : i < 50 ? ask(i, large) : undefined),
  },
}
