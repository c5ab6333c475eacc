// Requests that are malformed (RFC 9113, section 8.1.1), on stream 3: each is an error of its stream
// alone, and no handler may see it.
import { error, type Fault, type as frameType } from './broken-frames.js'
import { encodeFrame } from './raw-http2.js'

type Field = readonly [string, string]

const proper: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', '127.0.0.1'],
  [':path', '/malformed'],
]

/** Literal fields of bytes as they are, under 127 each (RFC 7541, section 6.2.2). */
const encode = (fields: readonly Field[]) =>
  Buffer.concat(
    fields.map(([name, value]) =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name, 'latin1'),
        Buffer.from([value.length]),
        Buffer.from(value, 'latin1'),
      ]),
    ),
  )
const request = (what: string, fields: readonly Field[], ends = true): Fault => ({
  what,
  code: error.protocol,
  bytes: encodeFrame(frameType.headers, ends ? 5 : 4, 3, encode(fields)),
})
const also = (what: string, ...fields: Field[]) => request(what, [...proper, ...fields])
const hex = (byte: number) => `0x${byte.toString(16)}`
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

function pseudoFields(): Fault[] {
  const without = [0, 1, 3].map((index) =>
    request(
      `no ${proper[index]![0]}`,
      proper.filter((_, i) => i !== index),
    ),
  )
  const twice = proper.map((field) => request(`${field[0]} twice`, [field, ...proper]))
  const behind = proper.map((field) =>
    request(`${field[0]} behind a field`, [
      ...proper.filter((one) => one !== field),
      ['x', 'y'],
      field,
    ]),
  )
  const replaced = (name: string, value: string) =>
    proper.map((field): Field => (field[0] === name ? [name, value] : field))
  const connect = (...fields: Field[]) => [[':method', 'CONNECT'] as const, ...fields]
  return [
    ...without,
    ...twice,
    ...behind,
    also('an unknown pseudo-field', [':who', 'me']),
    also('the pseudo-field of an answer', [':status', '200']),
    request('an empty :path', replaced(':path', '')),
    request('a :path that is no path', replaced(':path', 'malformed')),
    request('an empty :method', replaced(':method', '')),
    request('a :method with a space', replaced(':method', 'GE T')),
    request('CONNECT with a path', connect(...proper.slice(1))),
    request('CONNECT to nowhere', connect()),
    request('a :protocol without CONNECT', [...proper, [':protocol', 'websocket']]),
    request('CONNECT with a :protocol and no path', connect([':protocol', 'websocket'])),
    request('no fields at all', []),
  ]
}

function fields(): Fault[] {
  const hopByHop: Field[] = [
    ['connection', 'close'],
    ['keep-alive', 'timeout=5'],
    ['proxy-connection', 'close'],
    ['transfer-encoding', 'chunked'],
    ['upgrade', 'h2c'],
    ['te', 'gzip'],
  ]
  const lengths = ['-1', '+1', 'x', '', '1 ', '99999999999999999999', '0x1', '1,1']
  return [
    ...hopByHop.map(([name, value]) => also(`${name}: ${value}`, [name, value])),
    ...lengths.map((value) => also(`content-length "${value}"`, ['content-length', value])),
    also('two content-lengths', ['content-length', '0'], ['content-length', '1']),
    also('a body that is announced and not there', ['content-length', '5']),
  ]
}

/** Bytes that no field may have (RFC 9113, section 8.2.1). */
function characters(): Fault[] {
  const inName = [...range(0x00, 0x20), ...range(0x41, 0x5a), 0x3a, 0x7f, 0x80, 0xff]
  const inValue = [...range(0x00, 0x08), ...range(0x0a, 0x1f), 0x7f]
  return [
    ...inName.map((byte) =>
      also(`${hex(byte)} in a name`, [`bad${String.fromCharCode(byte)}name`, 'bad']),
    ),
    ...inValue.map((byte) =>
      also(`${hex(byte)} in a value`, ['bad-value', `bad${String.fromCharCode(byte)}value`]),
    ),
    also('a name without a letter', ['', 'bad']),
  ]
}

function bodies(): Fault[] {
  const head = (...more: Field[]) => request('', [...proper, ...more], false).bytes
  const data = (size: number, flags: number) =>
    encodeFrame(frameType.data, flags, 3, Buffer.alloc(size))
  const fault = (what: string, ...frames: Buffer[]): Fault => ({
    what,
    code: error.protocol,
    bytes: Buffer.concat(frames),
  })
  const trailers = (list: readonly Field[], flags: number) =>
    encodeFrame(frameType.headers, flags, 3, encode(list))
  return [
    fault('a body longer than announced', head(['content-length', '3']), data(4, 1)),
    fault('a body shorter than announced', head(['content-length', '3']), data(2, 1)),
    fault('trailers that do not end the stream', head(), trailers([['a', 'b']], 4)),
    fault('trailers with a pseudo-field', head(), trailers([[':path', '/']], 5)),
  ]
}

export function brokenRequests(): Fault[] {
  return [...pseudoFields(), ...fields(), ...characters(), ...bodies()]
}
