import type { ClientHttp2Session } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type WebSocketStream } from '../../dist/index.js'
import { taken } from '../helpers/carrier.js'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { serveWebSockets, type WebSocketServerOptions } from '../helpers/websocket-server.js'
import { clientFrame, Http2WebSocket } from '../helpers/websocket.js'

const sessions: ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await StreamManager.open().close()
})

async function pair(options: WebSocketServerOptions = {}, deflate = false) {
  const server = await serveWebSockets('h2', options)
  const session = connect(server.url)
  sessions.push(session)
  const client = await Http2WebSocket.open(session, { deflate })
  return { server, session, client, socket: server.sockets[0]! }
}

describe('permessage-deflate', () => {
  it('is not negotiated unless the server was told to', async () => {
    const { server, client, socket } = await pair({}, true)
    expect(client.headers['sec-websocket-extensions']).toBeUndefined()
    expect(socket.extensions).toBe('')
    await server.close()
  })

  it('compresses what any thread framed, in order, also when writes were joined', async () => {
    const { server, client, socket } = await pair({ perMessageDeflate: true }, true)
    expect(client.headers['sec-websocket-extensions']).toBe('permessage-deflate')
    expect(socket.extensions).toBe('permessage-deflate')
    const texts = Array.from({ length: 50 }, (_, i) => `${i} `.repeat(i * 100))
    for (const text of texts) client.send(text)
    expect(await client.next(texts.length)).toEqual(texts)
    client.messages.length = 0
    const large = 'x'.repeat(200_000)
    expect(socket.send(large)).toBe(taken)
    expect(socket.send(Buffer.from(large), { binary: true })).toBe(taken)
    expect(socket.ping()).toBe(true)
    expect(() => socket.ping(5 as unknown as string)).toThrowError(
      expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' }),
    )
    const received = client.stream.session!.state.effectiveRecvDataLength ?? 0
    const [text, bytes] = await client.next(2)
    expect(text).toBe(large)
    expect(Buffer.from(large).equals(bytes as Buffer)).toBe(true)
    expect(received).toBeLessThan(100_000)
    await until('the budget is free', () => socket.queuedBytes === 0)
    await client.close(1000)
    expect(client.closeCode).toBe(1000)
    await server.close()
  })

  it('sends what was taken before a close, and the Close frame behind it', async () => {
    const { server, client, socket } = await pair({ perMessageDeflate: true }, true)
    for (let i = 0; i < 20; i++) socket.send(`${i}`.repeat(5000))
    socket.close({ code: 4000 })
    await until('told', () => client.closeCode)
    expect(client.messages.length).toBe(20)
    await client.close(4000)
    await until('closed', () => server.closes.length === 1)
    expect(server.closes[0]).toEqual({ reason: 'close', code: 4000, text: '' })
    await server.close()
  })

  it('declines an offer that is invalid or does not suit, and goes on without', async () => {
    const server = await serveWebSockets('h2', { perMessageDeflate: { serverMaxWindowBits: 12 } })
    const session = connect(server.url)
    sessions.push(session)
    const answers: unknown[] = []
    for (const offer of [
      'permessage-deflate; server_max_window_bits=8',
      'permessage-deflate; colour=red',
      'permessage-deflate; server_max_window_bits=10',
      'permessage-deflate; colour=red, permessage-deflate',
    ]) {
      const headers = { 'sec-websocket-extensions': offer }
      const client = await Http2WebSocket.open(session, { headers })
      expect(client.status).toBe(200)
      answers.push(client.headers['sec-websocket-extensions'])
    }
    expect(answers).toEqual([
      undefined,
      undefined,
      undefined,
      'permessage-deflate; server_max_window_bits=12',
    ])
    await server.close()
  })
})

describe('a peer that floods', () => {
  it('with pings and does not read gets the last pong, and no pile of them', async () => {
    const { server, client, socket } = await pair({ onSocket: () => {} })
    client.stream.pause()
    // Fills the peer's window, so that nothing more leaves.
    while (socket.send(Buffer.alloc(60_000)) === taken);
    let pings = 0
    socket.on('ping', () => pings++)
    const kPings = 20_000
    const flood = Buffer.concat(
      Array.from({ length: kPings }, (_, i) => clientFrame(String(i), { opcode: 9 })),
    )
    client.sendRaw(flood)
    await until('all pings were seen', () => pings === kPings)
    client.stream.resume()
    await until('the last was answered', () => client.pongs.at(-1) === String(kPings - 1))
    expect(client.pongs.length).toBeLessThan(5)
    await server.close()
  })

  it('is stopped by flow control while the application has paused', async () => {
    const got: number[] = []
    const { server, client, socket } = await pair({
      onSocket(paused: WebSocketStream) {
        paused.on('message', (data) => {
          got.push(data.length)
          paused.pause()
        })
      },
    })
    const kMessages = 200
    for (let i = 0; i < kMessages; i++) client.send(Buffer.alloc(10_000, i))
    await until('the first came', () => got.length > 0)
    // A ping on the connection goes around when all that flow control lets through has come.
    await new Promise((resolve) => client.stream.session!.ping(resolve))
    await new Promise((resolve) => client.stream.session!.ping(resolve))
    expect(got.length).toBeLessThan(30)
    expect(client.stream.writableLength).toBeGreaterThan(1_000_000)
    const pump = setInterval(() => socket.resume(), 1)
    await until('all came', () => got.length === kMessages)
    clearInterval(pump)
    await server.close()
  })

  it('and does not read what it is sent has its messages refused, and no other', async () => {
    const { server, client, socket, session } = await pair({
      manager: { sendBudgetBytes: 100_000 },
    })
    const other = await Http2WebSocket.open(session)
    client.stream.pause()
    let full = 0
    for (let i = 0; i < 20; i++) if (socket.send(Buffer.alloc(50_000)) === 'full') full++
    expect(full).toBeGreaterThan(15)
    other.send('hello')
    expect(await other.next(1)).toEqual(['hello'])
    await server.close()
  })
})

describe('time', () => {
  it('ends a stream whose peer has closed, and been answered, but keeps it open', async () => {
    const { server, client } = await pair({ manager: { cleanupIntervalMs: 3_600_000 } })
    client.sendRaw(clientFrame(Buffer.from([3, 232]), { opcode: 8 }))
    await until('the stream is closed', () => client.isClosed)
    expect(client.closeCode).toBe(1000)
    expect(client.stream.rstCode).toBe(0)
    expect(server.closes).toEqual([{ reason: 'end', code: 1000, text: '' }])
    await server.close()
  })

  it('closes an idle WebSocket with 1001, and breaks off one that does not answer', async () => {
    const { server, client } = await pair({
      manager: { idleTimeoutMs: 100, cleanupIntervalMs: 50 },
    })
    await until('told', () => client.closeCode)
    expect(client.closeCode).toBe(1001)
    expect(client.isClosed).toBe(false)
    await until('broken off', () => client.isClosed)
    expect(server.closes).toEqual([{ reason: 'idle', code: 1006, text: '' }])
    await server.close()
  })
})
