import { randomBytes } from 'node:crypto'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import type { CloseReason, ManagedStream } from '../../dist/index.js'
import { isNative } from '../helpers/carrier.js'
import { closeWait, openSockets } from '../helpers/fds.js'
import { flag, frame, RawClient } from '../helpers/raw-http2.js'
import { serve, serveEvents, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

// After some protocol errors node:http2 sends GOAWAY and emits nothing more: neither the session nor
// its streams ever close. A peer that left kept its socket in CLOSE-WAIT for ever; one that stayed
// kept its streams, and what was sent to them piled up.

const breaks: Record<string, (client: RawClient) => void> = {
  'DATA on stream 0': (client) => client.send(frame.data, 0, 0, Buffer.from('x')),
  'a frame over the size limit': (client) =>
    client.send(frame.data, 0, 1, Buffer.alloc((1 << 14) + 1)),
  'a broken header block': (client) =>
    client.send(
      frame.headers,
      flag.endHeaders | flag.endStream,
      3,
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ),
}

const kPeers = 300
let server: TestServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

const allSocketsGone = () =>
  until('no socket is left', () => server!.manager.stats().activeSockets === 0)

for (const [what, breakIt] of Object.entries(breaks)) {
  for (const leaves of [true, false]) {
    describe(`${kPeers} peers send ${what} and ${leaves ? 'leave' : 'stay'}`, () => {
      it('leaves no socket, no descriptor and no stream behind', async () => {
        const closes: CloseReason[] = []
        const streams: ManagedStream[] = []
        server = await serveEvents(
          (stream) => {
            streams.push(stream)
            stream.on('close', ({ reason }) => closes.push(reason))
          },
          // Who leaves is found by the hang-up alone, who stays by the PING.
          leaves ? { pingIntervalMs: 0 } : { pingIntervalMs: 300, pingTimeoutMs: 300 },
        )
        const before = openSockets()
        const clients = await Promise.all(
          Array.from({ length: kPeers }, () => RawClient.connect(server!.port)),
        )
        for (const client of clients) client.get(1, '/')
        await until('every stream is held', () => streams.length === kPeers)
        for (const client of clients) breakIt(client)
        if (leaves) {
          await until('every peer was told', () =>
            clients.every(
              (client) => client.received(frame.goaway).length > 0 || client.socket.readableEnded,
            ),
          )
          for (const client of clients) client.socket.end()
        }
        await until('each stream closed', () => closes.length >= kPeers)
        expect(closes.length).toBe(kPeers)
        expect(streams.some((stream) => server!.manager.has(stream.uid))).toBe(false)
        for (const client of clients) client.socket.destroy()
        await until('no socket is left in CLOSE-WAIT', () => closeWait(server!.port) === 0)
        await until('the descriptors are back', () => openSockets() === before)
        // A reactor closes a descriptor before it gives up what it knows of the socket.
        if (isNative) await allSocketsGone()
        expect(server.manager.stats().activeSockets).toBe(0)
      })
    })
  }
}

describe('a peer that answers no PING', () => {
  it('loses its session and its streams in the time that the options say', async () => {
    const closes: CloseReason[] = []
    server = await serveEvents(
      (stream) => stream.on('close', ({ reason }) => closes.push(reason)),
      {
        pingIntervalMs: 50,
        pingTimeoutMs: 50,
      },
    )
    const client = await RawClient.connect(server.port)
    client.get(1, '/')
    await until('the stream closed', () => closes.length > 0)
    expect(closes).toEqual(['session'])
    expect(client.received(frame.ping).length).toBeGreaterThan(0)
    // Streams are told of before the socket of their session goes.
    await allSocketsGone()
  })
})

// node:http2 aborts its streams when it reads the peer's FIN, and with them the request bytes that a
// handler had not come to.
describe('a peer that half-closes behind a request body', () => {
  it('has its body read to the end by a handler that is slow to begin', async () => {
    // Within the window that the peer may send without leave (RFC 9113, section 6.9.2).
    const body = randomBytes(65_535)
    const chunks: Buffer[] = []
    const requests: ServerHttp2Stream[] = []
    let closed = false
    const http2Server = createServer()
    http2Server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.on('close', () => (closed = true))
      requests.push(stream)
    })
    server = await serve(http2Server, { pingIntervalMs: 0 })
    const client = await RawClient.connect(server.port)
    client.post(1, '/')
    for (let at = 0; at < body.length; at += 16_384) {
      const last = at + 16_384 >= body.length
      client.send(frame.data, last ? flag.endStream : 0, 1, body.subarray(at, at + 16_384))
    }
    client.socket.end()
    await until('all of it has arrived', () => requests[0]?.readableLength === body.length)
    // Until the hang-up must have been looked at many times.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(closed).toBe(false)
    requests[0]!.on('data', (chunk: Buffer) => chunks.push(chunk))
    await until('the session ended behind it', () => closed)
    expect(Buffer.concat(chunks).equals(body)).toBe(true)
    expect(requests[0]!.readableEnded).toBe(true)
    await until('no socket is left in CLOSE-WAIT', () => closeWait(server!.port) === 0)
  })
})
