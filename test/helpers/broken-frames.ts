// What no HTTP/2 peer may send, frame by frame (RFC 9113, sections 4 to 6). Each is sent behind a
// proper beginning of a connection on which stream 1 is an open POST, unless it says otherwise.
import { encodeFrame, flag, headerBlock } from './raw-http2.js'

export interface Fault {
  readonly what: string
  /** The error code it is answered with. */
  readonly code: number
  readonly bytes: Buffer
}

/** RFC 9113, section 7. */
export const error = {
  protocol: 1,
  flowControl: 3,
  frameSize: 6,
  compression: 9,
  enhanceYourCalm: 11,
} as const

export const type = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
const padded = 8
const priority = 0x20

export const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
export const setting = (id: number, value: number) =>
  Buffer.concat([Buffer.from([id >> 8, id & 255]), u32(value)])
const get = headerBlock('GET', '/')
const faulty =
  (code: number) =>
  (what: string, ...frames: Buffer[]): Fault => ({ what, code, bytes: Buffer.concat(frames) })
const sized = (size: number) => Buffer.alloc(size)

const names = Object.entries(type)
/** The stream on which a frame of the type would be in its place. */
const placeOf = (frame: number) =>
  frame === type.settings || frame === type.ping || frame === type.goaway ? 0 : 1

function sizes(): Fault[] {
  const fault = faulty(error.frameSize)
  const wrong: [keyof typeof type, number[]][] = [
    ['priority', [0, 1, 4, 6]],
    ['rstStream', [0, 1, 3, 5]],
    ['settings', [1, 2, 3, 4, 5, 7, 11]],
    ['ping', [0, 1, 7, 9]],
    ['goaway', [0, 4, 7]],
    ['windowUpdate', [0, 1, 3, 5]],
  ]
  const small = wrong.flatMap(([name, list]) =>
    list.map((size) =>
      fault(
        `${name} of ${size} bytes`,
        encodeFrame(type[name], 0, placeOf(type[name]), sized(size)),
      ),
    ),
  )
  const large = names.flatMap(([name, number]) =>
    [(1 << 14) + 1, 1 << 15].map((size) =>
      fault(`${name} of ${size} bytes`, encodeFrame(number, 0, placeOf(number), sized(size))),
    ),
  )
  return [
    ...small,
    ...large,
    fault('acknowledged SETTINGS with a body', encodeFrame(4, flag.ack, 0, setting(3, 1))),
  ]
}

function places(): Fault[] {
  const fault = faulty(error.protocol)
  const bodies: Record<string, Buffer> = {
    data: sized(1),
    headers: get,
    priority: sized(5),
    rstStream: u32(8),
    pushPromise: Buffer.concat([u32(2), get]),
    windowUpdate: u32(1),
    continuation: get,
    settings: sized(0),
    ping: sized(8),
    goaway: sized(8),
  }
  // A window may be opened on both.
  const swapped = names
    .filter(([name]) => name !== 'windowUpdate')
    .map(([name, number]) =>
      fault(
        `${name} on stream ${1 - placeOf(number)}`,
        encodeFrame(number, flag.endHeaders, 1 - placeOf(number), bodies[name]!),
      ),
    )
  const onIdle = (['data', 'rstStream', 'windowUpdate', 'continuation'] as const).flatMap((name) =>
    [3, 2, 0x7fffffff].map((stream) =>
      fault(`${name} on idle stream ${stream}`, encodeFrame(type[name], 0, stream, bodies[name]!)),
    ),
  )
  return [
    ...swapped,
    ...onIdle,
    fault('a request on an even stream', encodeFrame(type.headers, 5, 2, get)),
    fault('a promise of a push', encodeFrame(type.pushPromise, 4, 1, bodies.pushPromise!)),
  ]
}

function paddings(): Fault[] {
  const fault = faulty(error.protocol)
  return [0, 1, 5, 200].flatMap((size) =>
    (['data', 'headers'] as const).map((name) =>
      fault(
        `${name} of ${size} bytes that are all padding, and more`,
        encodeFrame(
          type[name],
          padded | flag.endHeaders,
          name === 'data' ? 1 : 3,
          size === 0 ? sized(0) : Buffer.concat([Buffer.from([size]), sized(size - 1)]),
        ),
      ),
    ),
  )
}

function blocks(): Fault[] {
  const fault = faulty(error.protocol)
  const begun = encodeFrame(type.headers, flag.endStream, 3, get.subarray(0, 10))
  const between = names.map(([name, number]) =>
    fault(
      `${name} within a header block`,
      begun,
      encodeFrame(number, flag.endHeaders, number === type.continuation ? 5 : placeOf(number), get),
    ),
  )
  const short = [0, 1, 4].map((size) =>
    faulty(error.frameSize)(
      `HEADERS of ${size} bytes with a priority`,
      encodeFrame(type.headers, priority | 4, 3, sized(size)),
    ),
  )
  return [
    ...between,
    ...short,
    fault('an unknown frame within a header block', begun, encodeFrame(99, 0, 3, sized(4))),
    fault(
      'a CONTINUATION behind a block that has ended',
      encodeFrame(type.headers, 5, 3, get),
      encodeFrame(type.continuation, 4, 3, get),
    ),
    fault(
      'a stream that depends on itself, with DATA on one that is closed',
      encodeFrame(type.headers, 5 | priority, 3, Buffer.concat([u32(3), sized(1), get])),
      encodeFrame(type.data, 0, 3, sized(1)),
    ),
  ]
}

function values(): Fault[] {
  const fault = faulty(error.protocol)
  const tooFar = faulty(error.flowControl)
  const settings: [number, number[]][] = [
    [2, [2, 0xffffffff]],
    [5, [0, 16383, 1 << 24, 0xffffffff]],
    [8, [2, 0xffffffff]],
  ]
  const bad = settings.flatMap(([id, list]) =>
    list.map((value) =>
      fault(`setting ${id} of ${value}`, encodeFrame(type.settings, 0, 0, setting(id, value))),
    ),
  )
  const update = (stream: number, by: number) => encodeFrame(type.windowUpdate, 0, stream, u32(by))
  return [
    ...bad,
    fault('a window of the connection opened by 0', update(0, 0)),
    fault('a window of the stream opened by 0', update(1, 0)),
    tooFar('a window of the connection opened too far', update(0, 0x7fffffff)),
    ...[0x80000000, 0xffffffff].map((size) =>
      tooFar(`a first window of ${size}`, encodeFrame(type.settings, 0, 0, setting(4, size))),
    ),
  ]
}

/** A header block that cannot be decoded (RFC 7541). */
function compressions(): Fault[] {
  const fault = faulty(error.compression)
  const broken: [string, number[]][] = [
    ['index 0', [0x80]],
    ['an index beyond the tables', [0xff, 0x00]],
    ['an index of many bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['an index that ends early', [0xff, 0x80]],
    ['a name that ends early', [0x00, 0x7e, 0x61]],
    ['a value that ends early', [0x00, 0x01, 0x61, 0x7e, 0x62]],
    ['a length of many bytes', [0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a table that is larger than allowed', [0x3f, 0xff, 0xff, 0x03]],
    ['a change of the table behind a field', [0x82, 0x20]],
    ['padding of a string with zeros', [0x00, 0x81, 0x18, 0x81, 0x00]],
    ['padding of a string by a byte', [0x00, 0x82, 0x1f, 0xff, 0x01, 0x61]],
    ['the end-of-string code in a string', [0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x01, 0x61]],
    ['a named field beyond the tables', [0x7f, 0x7f, 0x01, 0x61]],
  ]
  return broken.flatMap(([what, bytes]) => [
    fault(`a block with ${what}`, encodeFrame(type.headers, 5, 3, Buffer.from(bytes))),
    fault(
      `a block with ${what}, in pieces`,
      encodeFrame(type.headers, 1, 3, get),
      ...bytes.map((byte, i) =>
        encodeFrame(type.continuation, i === bytes.length - 1 ? 4 : 0, 3, Buffer.from([byte])),
      ),
    ),
  ])
}

/** After each the connection cannot go on. */
export function brokenFrames(): Fault[] {
  return [...sizes(), ...places(), ...paddings(), ...blocks(), ...values(), ...compressions()]
}
