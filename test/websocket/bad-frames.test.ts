import fc from 'fast-check'
import { deflateRawSync } from 'node:zlib'
import type { ClientHttp2Session } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { serveWebSockets, type WebSocketServer } from '../helpers/websocket-server.js'
import { clientFrame, Http2WebSocket } from '../helpers/websocket.js'

const kMaxMessageBytes = 100_000

let server: WebSocketServer
let session: ClientHttp2Session
/** Stands beside each bad one on the same session. */
let neighbour: Http2WebSocket
let echoes = 0

beforeAll(async () => {
  server = await serveWebSockets('h2', {
    maxMessageBytes: kMaxMessageBytes,
    perMessageDeflate: true,
  })
  session = connect(server.url)
  neighbour = await Http2WebSocket.open(session)
})
afterAll(async () => {
  session.destroy()
  await server.close()
})

/** What the server says to these bytes, on a session that goes on. */
async function verdict(
  bytes: Buffer | readonly Buffer[],
  options: { deflate?: boolean } = {},
): Promise<number | undefined> {
  const client = await Http2WebSocket.open(session, options)
  const before = server.closes.length
  for (const piece of Array.isArray(bytes) ? (bytes as Buffer[]) : [bytes as Buffer]) {
    client.sendRaw(piece)
  }
  client.stream.end()
  await until('the stream ended on both sides', () => client.isClosed && client.isEnded)
  await until('it was told', () => server.closes.length === before + 1)
  neighbour.send(`still here ${++echoes}`)
  await neighbour.next(echoes)
  expect(neighbour.messages.at(-1)).toBe(`still here ${echoes}`)
  expect(session.destroyed).toBe(false)
  return client.closeCode
}

/** A frame whose header says what it likes. */
function raw(first: number, second: number, ...rest: number[]): Buffer {
  return Buffer.from([first, second, ...rest])
}
const bomb = (size: number): Buffer => deflateRawSync(Buffer.alloc(size)).subarray(0)
const inText = (bytes: number[]): Buffer => clientFrame(Buffer.from(bytes), { opcode: 1 })

describe('a peer that breaks the protocol is told why, and nobody else suffers', () => {
  it.each<[string, Buffer | Buffer[], number]>([
    ['a frame without a mask', clientFrame('x', { mask: false }), 1002],
    ['a reserved bit', raw(0xa1, 0x80, 0, 0, 0, 0), 1002],
    ['another reserved bit', raw(0x91, 0x80, 0, 0, 0, 0), 1002],
    ['compression that was not negotiated', clientFrame('x', { rsv1: true }), 1002],
    ['an unknown opcode', clientFrame('x', { opcode: 3 }), 1002],
    ['an unknown control opcode', clientFrame('x', { opcode: 11 }), 1002],
    ['a control frame in fragments', clientFrame('x', { opcode: 9, fin: false }), 1002],
    ['a control frame of 126 bytes', clientFrame('x'.repeat(126), { opcode: 9 }), 1002],
    ['a continuation of nothing', clientFrame('x', { opcode: 0 }), 1002],
    ['a message within a message', [clientFrame('x', { fin: false }), clientFrame('y')], 1002],
    ['a Close frame of one byte', clientFrame(Buffer.from([3]), { opcode: 8 }), 1002],
    ['a code that may not be sent', clientFrame(Buffer.from([3, 0xed]), { opcode: 8 }), 1002],
    ['a code that does not exist', clientFrame(Buffer.from([0xff, 0xff]), { opcode: 8 }), 1002],
    ['a reason that is no UTF-8', clientFrame(Buffer.from([3, 232, 0xff]), { opcode: 8 }), 1007],
    ['a text that is no UTF-8', inText([0xc3, 0x28]), 1007],
    ['a text with a surrogate', inText([0xed, 0xa0, 0x80]), 1007],
    ['a text that ends within a character', inText([0xe2, 0x82]), 1007],
    ['a frame that says it is too long', raw(0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x86, 0xa1), 1009],
    ['a frame of 2^63 bytes', raw(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0), 1009],
    [
      'fragments that together are too long',
      [
        clientFrame(Buffer.alloc(60_000), { fin: false }),
        clientFrame(Buffer.alloc(60_000), { opcode: 0 }),
      ],
      1009,
    ],
    [
      'more fragments than their bytes are worth',
      Array.from({ length: 2000 }, (_, i) =>
        clientFrame(Buffer.from('x'), { opcode: i === 0 ? 2 : 0, fin: false }),
      ),
      1008,
    ],
  ])('%s', async (_, bytes, code) => {
    expect(await verdict(bytes)).toBe(code)
    expect(server.closes.at(-1)).toMatchObject({ reason: 'reset', code })
  })

  it('a deflate bomb, in one frame and in fragments', async () => {
    const deflated = bomb(50 * 2 ** 20)
    expect(deflated.length).toBeLessThan(kMaxMessageBytes)
    const one = clientFrame(deflated, { rsv1: true })
    expect(await verdict(one, { deflate: true })).toBe(1009)
    const half = Math.floor(deflated.length / 2)
    const two = [
      clientFrame(deflated.subarray(0, half), { rsv1: true, fin: false }),
      clientFrame(deflated.subarray(half), { opcode: 0 }),
    ]
    expect(await verdict(two, { deflate: true })).toBe(1009)
  })

  it('bytes that zlib cannot read', async () => {
    const broken = clientFrame(Buffer.from([0xff, 0xff, 0xff, 0xff]), { rsv1: true })
    expect(await verdict(broken, { deflate: true })).toBe(1007)
  })

  it('any bytes, cut anywhere', async () => {
    const length = fc.oneof(fc.integer({ min: 0, max: 125 }), fc.constantFrom(126, 127))
    const frame = fc
      .tuple(
        fc.integer({ min: 0, max: 255 }),
        length,
        fc.boolean(),
        fc.uint8Array({ maxLength: 140 }),
      )
      .map(([first, size, masked, rest]) =>
        Buffer.concat([raw(first, size | (masked ? 0x80 : 0)), Buffer.from(rest)]),
      )
    const proper = fc
      .tuple(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(0, 1, 2, 8, 9, 10),
        fc.boolean(),
        fc.boolean(),
      )
      .map(([data, opcode, fin, rsv1]) => clientFrame(Buffer.from(data), { opcode, fin, rsv1 }))
    const pieces = fc.array(fc.oneof(frame, proper), { minLength: 1, maxLength: 6 })
    const allowed = [undefined, 1000, 1002, 1005, 1007, 1008, 1009]
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (bytes, deflate) => {
        const code = await verdict(bytes, { deflate })
        // Or the echo of a code that it sent itself.
        const sent = code !== undefined && (code >= 3000 || (code >= 1000 && code <= 1014))
        expect(allowed.includes(code) || sent).toBe(true)
        expect(server.closes.at(-1)!.code).toBe(code ?? 1006)
      }),
      { verbose: true, numRuns: 150 },
    )
  })
})
