// Peers of the native carrier that send without end what costs them nothing, and peers that ask and do
// not read: each is cut off, nothing of it is left, and a session that behaves is served meanwhile.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { kLarge, serveAbuse, type AbuseServer } from '../helpers/abuse-server.js'
import { error, setting, type, u32 } from '../helpers/broken-frames.js'
import { encodeFrame, flag, headerBlock, RawClient } from '../helpers/raw-http2.js'
import { until } from '../helpers/wait.js'

const kPeers = 4
const kEnds = flag.endHeaders | flag.endStream
const get = headerBlock('GET', '/')
const cancel = u32(8)
const none = Buffer.alloc(0)
const kWindow = 4
let server: AbuseServer
/** Of a test that failed before it closed them. */
const sockets: Socket[] = []

beforeAll(async () => {
  // Who stays and reads nothing answers no PING either.
  server = await serveAbuse({ pingIntervalMs: 500, pingTimeoutMs: 1000 })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.nothingLeft()
})
afterAll(() => server.close())

const isOver = (socket: Socket) => socket.readableEnded || socket.destroyed

/** Frames that nobody gets to send: its flood was stopped. */
const kEndless = 1_000_000

/** Sends batches, as the socket takes them, until the other side ends it. How many frames that were. */
async function flood(socket: Socket, frames: (i: number) => Buffer): Promise<number> {
  let sent = 0
  while (!isOver(socket)) {
    const batch = Buffer.concat(Array.from({ length: 200 }, (_, i) => frames(sent + i)))
    sent += 200
    if (!socket.write(batch) && !isOver(socket)) {
      await Promise.race([once(socket, 'drain'), over(socket)]).catch(() => {})
    }
    // For what comes back to be read.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return sent
}
async function over(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('end', resolve).once('close', resolve)
    if (isOver(socket)) resolve()
  })
}

const id = (i: number) => 3 + 2 * i
/** Frames of which a peer may send a few, but not for ever. Stream 1 is an open POST. */
const floods: Record<string, (i: number) => Buffer> = {
  'empty DATA': () => encodeFrame(type.data, 0, 1, none),
  'DATA that is all padding': () => encodeFrame(type.data, 8, 1, Buffer.from([3, 0, 0, 0])),
  'WINDOW_UPDATE of the connection': () => encodeFrame(type.windowUpdate, 0, 0, u32(1)),
  'WINDOW_UPDATE of a stream': () => encodeFrame(type.windowUpdate, 0, 1, u32(1)),
  PRIORITY: () => encodeFrame(type.priority, 0, 9, Buffer.alloc(5)),
  PING: () => encodeFrame(type.ping, 0, 0, Buffer.alloc(8)),
  SETTINGS: () => encodeFrame(type.settings, 0, 0, none),
  'SETTINGS that change every window': (i) =>
    encodeFrame(type.settings, 0, 0, setting(kWindow, 1000 + (i % 2))),
  'requests and their resets': (i) =>
    Buffer.concat([
      encodeFrame(type.headers, kEnds, id(i), get),
      encodeFrame(type.rstStream, 0, id(i), cancel),
    ]),
  'windows opened too far': (i) =>
    Buffer.concat([
      encodeFrame(type.headers, flag.endHeaders, id(i), headerBlock('POST', '/echo')),
      encodeFrame(type.windowUpdate, 0, id(i), u32(0x7fffffff)),
    ]),
  'header blocks of streams that are gone': (i) =>
    encodeFrame(type.headers, kEnds, i === 0 ? id(kEndless) : id(i), get),
  'resets of streams that are gone': (i) =>
    i === 0
      ? encodeFrame(type.headers, kEnds, id(kEndless), get)
      : encodeFrame(type.rstStream, 0, id(i), cancel),
  'malformed requests': (i) => encodeFrame(type.headers, kEnds, id(i), get.subarray(0, 13)),
  'CONTINUATION without an end': (i) =>
    i === 0
      ? encodeFrame(type.headers, flag.endStream, 3, get)
      : encodeFrame(type.continuation, 0, 3, none),
  'CONTINUATION of a field each': (i) =>
    i === 0
      ? encodeFrame(type.headers, flag.endStream, 3, get)
      : encodeFrame(type.continuation, 0, 3, Buffer.from([0, 1, 97, 1, 98])),
}

/**
 * Header blocks without an end break the protocol; all else is a matter of how much. One window too far
 * may end its stream or its connection (RFC 9113, section 6.9.1), and not all versions of nghttp2 do
 * the same.
 */
function goawaysOf(what: string): number[] {
  if (what.startsWith('CONTINUATION')) return [error.protocol]
  const calm = [error.enhanceYourCalm]
  return what === 'windows opened too far' ? [...calm, error.flowControl] : calm
}

describe('a flood of', () => {
  for (const [what, frames] of Object.entries(floods)) {
    it(`${what} ends its connections`, async () => {
      const peers = await server.abuse(() =>
        Promise.all(
          Array.from({ length: kPeers }, async () => {
            const client = await RawClient.connect(server.port)
            sockets.push(client.socket)
            client.post(1, '/echo')
            const sent = await flood(client.socket, frames)
            return { client, sent }
          }),
        ),
      )
      for (const { client, sent } of peers) {
        expect(sent).toBeLessThan(kEndless)
        const codes = client.received(type.goaway).map((body) => body.readUInt32BE(4))
        expect(codes).toHaveLength(1)
        expect(goawaysOf(what)).toContain(codes[0])
        client.socket.destroy()
      }
    })
  }
})

/** A field of 3,000 bytes is put into the table, and named again by one byte. */
function bomb(times: number): Buffer {
  const value = Buffer.alloc(3000, 'y')
  const length = Buffer.from([0x7f, ((3000 - 127) & 0x7f) | 0x80, (3000 - 127) >> 7])
  const entry = Buffer.concat([Buffer.from([0x40, 1, 120]), length, value])
  return Buffer.concat([get, entry, Buffer.alloc(times, 0x80 | 62)])
}

describe('header lists', () => {
  it('that are too large are refused, each for its stream', async () => {
    const client = await RawClient.connect(server.port)
    await server.abuse(async () => {
      client.send(type.headers, kEnds, 1, bomb(30))
      // The entry is in the table from there: it is named by one byte.
      client.get(3, '/')
      await until('the answer to the other', () => client.received(type.data, 3).length > 0)
    })
    expect(client.received(type.rstStream, 1)[0]?.readUInt32BE(0)).toBe(error.enhanceYourCalm)
    client.socket.destroy()
  })

  it('that unpack to megabytes end their connections', async () => {
    await server.abuse(async () => {
      for (let i = 0; i < 20; i++) {
        const client = await RawClient.connect(server.port)
        client.send(type.headers, kEnds, 1, bomb(10_000))
        await over(client.socket)
        expect(client.received(type.goaway)[0]?.readUInt32BE(4)).toBe(error.enhanceYourCalm)
        client.socket.destroy()
      }
    })
  })
})

/** A peer that reads nothing, with windows as wide as they can be. */
async function deaf(): Promise<Socket> {
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(encodeFrame(type.settings, 0, 0, setting(kWindow, 0x7fffffff)))
  socket.write(encodeFrame(type.windowUpdate, 0, 0, u32(0x7fff0000 - 65_535)))
  return socket
}
const ask = (socket: Socket, stream: number, path: string) =>
  socket.write(encodeFrame(type.headers, kEnds, stream, headerBlock('GET', path)))
/** Sessions besides the one that behaves. */
const sessions = () => server.manager.stats().activeSockets - 1

describe('peers that read nothing', () => {
  it('and leave amid megabytes of answers leave nothing behind', async () => {
    await server.abuse(async () => {
      const peers = await Promise.all(Array.from({ length: 20 }, deaf))
      for (const peer of peers) for (let i = 0; i < 20; i++) ask(peer, 1 + 2 * i, '/large')
      await until('all have come', () => sessions() === 20)
      for (const peer of peers) peer.resetAndDestroy()
    })
  })

  it('and stay are given up', async () => {
    await server.abuse(async () => {
      const peers = await Promise.all(Array.from({ length: 8 }, deaf))
      for (const peer of peers) for (let i = 0; i < 16; i++) ask(peer, 1 + 2 * i, '/large')
      await until('all have come', () => sessions() === 8)
      await until('all are given up', () => sessions() === 0)
      for (const peer of peers) peer.destroy()
    })
  })

  const kAsked = 16
  for (const what of ['PING', 'SETTINGS', 'requests and their resets']) {
    it(`and send ${what} without end are given up`, async () => {
      await server.abuse(async () => {
        const peers = await Promise.all(Array.from({ length: kPeers }, deaf))
        await Promise.all(
          peers.map(async (peer) => {
            for (let i = 0; i < kAsked; i++) ask(peer, 1 + 2 * i, '/large')
            peer.on('close', () => {})
            expect(await flood(peer, (at) => floods[what]!(kAsked + at))).toBeLessThan(kEndless)
          }),
        )
        await until('all are given up', () => sessions() === 0)
        for (const peer of peers) peer.destroy()
      })
    })
  }
})

describe('narrow windows', () => {
  it('of no byte at all hold answers back, and nothing is left when their peers leave', async () => {
    await server.abuse(async () => {
      const clients: RawClient[] = []
      for (let i = 0; i < 20; i++) {
        const client = await RawClient.connect(server.port)
        client.send(type.settings, 0, 0, setting(kWindow, 0))
        for (let stream = 1; stream < 20; stream += 2) client.get(stream, '/large')
        clients.push(client)
      }
      await until('each has the heads of its answers', () =>
        clients.every((client) => client.received(type.headers).length === 10),
      )
      for (const client of clients) {
        expect(client.received(type.data)).toEqual([])
        client.socket.destroy()
      }
    })
  })

  it('of one byte are filled byte by byte, to the end of the answer', async () => {
    const client = await RawClient.connect(server.port)
    await server.abuse(async () => {
      client.send(type.settings, 0, 0, setting(kWindow, 1))
      client.get(1, '/')
      for (let bytes = 1; bytes <= 'answered'.length; bytes++) {
        await until('a byte', () => client.received(type.data, 1).length >= bytes)
        client.send(type.windowUpdate, 0, 1, u32(1))
      }
      await until('the end', () =>
        client.frames.some((one) => one.stream === 1 && one.type === 0 && one.flags & 1),
      )
    })
    const chunks = client.received(type.data, 1)
    expect(Buffer.concat(chunks).toString()).toBe('answered')
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBe(1)
    client.socket.destroy()
  })

  it('that shrink below what was sent stay shut until they are opened that far', async () => {
    const client = await RawClient.connect(server.port)
    await server.abuse(async () => {
      client.get(1, '/large')
      const received = () => Buffer.concat(client.received(type.data, 1)).length
      await until('the first window is full', () => received() === 65_535)
      client.send(type.settings, 0, 0, setting(kWindow, 0))
      client.send(type.windowUpdate, 0, 0, u32(kLarge))
      client.send(type.windowUpdate, 0, 1, u32(65_535))
      client.send(type.ping, 0, 0, Buffer.from('all read'))
      await until('that was read', () =>
        client.received(type.ping).some((body) => body.toString() === 'all read'),
      )
      expect(received()).toBe(65_535)
      client.send(type.windowUpdate, 0, 1, u32(kLarge))
      await until('the rest', () => received() === kLarge)
    })
    client.socket.destroy()
  })
})
