import http2 from 'node:http2'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { StreamManager, WebSocketStream } from '../../dist/index.js'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import {
  holderOf,
  holderOver,
  serveWebSockets,
  transports,
  type Transport,
} from '../helpers/websocket-server.js'
import { clientFrame, Http2WebSocket } from '../helpers/websocket.js'

/** What both kinds of client can do. */
interface Client {
  messages: (string | Buffer)[]
  pongs: string[]
  send(data: string | Buffer): void
  sendRaw(bytes: Buffer): void
  close(code?: number, reason?: string): Promise<void>
  closed(): { code: number | undefined; reason: string } | undefined
  breakOff(): void
  end(): void
}

async function open(transport: Transport, url: string): Promise<Client> {
  if (transport.startsWith('h2')) {
    const session = connect(url, { rejectUnauthorized: false })
    sessions.push(session)
    const client = await Http2WebSocket.open(session)
    return Object.assign(client, {
      closed: () =>
        client.isEnded ? { code: client.closeCode ?? 1006, reason: client.closeReason } : undefined,
      breakOff: () => client.stream.close(http2.constants.NGHTTP2_CANCEL),
      end: () => void client.stream.end(),
    })
  }
  const socket = new WebSocket(url.replace('http', 'ws'), {
    rejectUnauthorized: false,
    perMessageDeflate: false,
  })
  const messages: (string | Buffer)[] = []
  const pongs: string[] = []
  let closed: { code: number; reason: string } | undefined
  socket.on('message', (data: Buffer, isBinary) => messages.push(isBinary ? data : String(data)))
  socket.on('pong', (data) => pongs.push(data.toString()))
  socket.on('close', (code, reason) => (closed = { code, reason: reason.toString() }))
  socket.on('error', () => {})
  await once(socket, 'open')
  const below = (socket as unknown as { _socket: Socket })._socket
  return {
    messages,
    pongs,
    send: (data) => socket.send(data),
    sendRaw: (bytes) => void below.write(bytes),
    async close(code, reason) {
      socket.close(code, reason)
      await until('closed', () => closed)
    },
    closed: () => closed,
    breakOff: () => socket.terminate(),
    end: () => void below.end(),
  }
}

const sessions: http2.ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await StreamManager.open().close()
})

describe.each(transports)('a WebSocket over %s', (transport) => {
  it('echoes text and binary of each length of length, as what they were', async () => {
    const server = await serveWebSockets(transport)
    const client = await open(transport, server.url)
    const sizes = [0, 1, 125, 126, 127, 65535, 65536, 70_000]
    for (const size of sizes) {
      client.send('é'.repeat(size / 2) + 'x'.repeat(size % 2))
      client.send(Buffer.alloc(size, size))
    }
    await until('all echoed', () => client.messages.length === sizes.length * 2)
    sizes.forEach((size, i) => {
      expect(client.messages[i * 2]).toBe('é'.repeat(size / 2) + 'x'.repeat(size % 2))
      expect(Buffer.alloc(size, size).equals(client.messages[i * 2 + 1] as Buffer)).toBe(true)
    })
    const { manager, sockets } = server
    expect(manager.stats().activeWebsocketStreams).toBe(1)
    const info = manager.find(sockets[0]!.uid)!
    expect(info).toMatchObject({ kind: 'websocket', address: '127.0.0.1' })
    expect(holderOf(manager, sockets[0]!)).toBe(holderOver(transport))
    expect(manager.get(info.uid)).toBe(sockets[0])
    expect(sockets[0]).toBeInstanceOf(WebSocketStream)
    await client.close(1000)
    await until('closed', () => server.closes.length === 1)
    await until('the budget is free', () => manager.stats().activeWebsocketStreams === 0)
    await server.close()
  })

  it('puts fragments together, and answers a ping between them', async () => {
    const server = await serveWebSockets(transport)
    const pings: string[] = []
    const client = await open(transport, server.url)
    server.sockets[0]!.on('ping', (data) => pings.push(data.toString()))
    client.sendRaw(clientFrame('one, ', { fin: false }))
    client.sendRaw(clientFrame('are you there', { opcode: 9 }))
    client.sendRaw(clientFrame('two, ', { opcode: 0, fin: false }))
    client.sendRaw(clientFrame('three', { opcode: 0 }))
    await until('echoed', () => client.messages.length === 1)
    expect(client.messages).toEqual(['one, two, three'])
    await until('answered', () => client.pongs.length === 1)
    expect(client.pongs).toEqual(['are you there'])
    expect(pings).toEqual(['are you there'])
    await client.close()
    await server.close()
  })

  it('tells the peer its close code and reason, and the application those of the peer', async () => {
    const server = await serveWebSockets(transport)
    const before = server.manager.stats().closed
    const bye = await open(transport, server.url)
    await bye.close(4001, 'bye')
    expect(bye.closed()).toEqual({ code: 4001, reason: 'bye' })
    const mute = await open(transport, server.url)
    await mute.close()
    await until('both', () => server.closes.length === 2)
    expect(server.closes).toEqual([
      { reason: 'end', code: 4001, text: 'bye' },
      { reason: 'end', code: 1005, text: '' },
    ])
    const told = await open(transport, server.url)
    server.sockets[2]!.send('last words')
    expect(server.sockets[2]!.close({ code: 3007, reason: 'enough' })).toBe(true)
    expect(server.sockets[2]!.close()).toBe(false)
    expect(server.sockets[2]!.send('too late')).toBe('gone')
    if (transport.startsWith('h2')) {
      await until('told', () => (told as unknown as Http2WebSocket).closeCode)
      await told.close(3007, 'enough')
    }
    await until('told', () => told.closed())
    expect(told.messages).toEqual(['last words'])
    expect(told.closed()).toEqual({ code: 3007, reason: 'enough' })
    await until('closed', () => server.closes.length === 3)
    expect(server.closes[2]).toEqual({ reason: 'close', code: 3007, text: 'enough' })
    const after = server.manager.stats().closed
    expect([after.end - before.end, after.close - before.close]).toEqual([2, 1])
    await server.close()
  })

  it('says 1000 by default, and takes only codes that may be sent', async () => {
    const server = await serveWebSockets(transport)
    const client = await open(transport, server.url)
    const [socket] = server.sockets
    for (const code of [1004, 1005, 1006, 1015, 2999, 5000, 1e9]) {
      expect(() => socket!.close({ code }), String(code)).toThrowError(
        expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_OPTION' }),
      )
    }
    expect(() => socket!.close({ reason: 'é'.repeat(62) })).toThrowError(
      expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_OPTION' }),
    )
    expect(socket!.close({ reason: 'é'.repeat(61) })).toBe(true)
    if (transport.startsWith('h2')) await client.close(1000, 'é'.repeat(61))
    await until('told', () => client.closed())
    expect(client.closed()).toEqual({ code: 1000, reason: 'é'.repeat(61) })
    await server.close()
  })

  it('ends with 1006 when the peer breaks off, ends without a Close frame, or is broken off', async () => {
    const server = await serveWebSockets(transport)
    const broken = await open(transport, server.url)
    broken.breakOff()
    await until('broken off', () => server.closes.length === 1)
    const ended = await open(transport, server.url)
    ended.end()
    await until('ended', () => server.closes.length === 2)
    await open(transport, server.url)
    expect(server.sockets[2]!.close({ code: 8, reason: 'for the log' })).toBe(true)
    await until('reset', () => server.closes.length === 3)
    expect(server.closes.map(({ code }) => code)).toEqual([1006, 1006, 1006])
    expect(server.closes[1]!.reason).toBe('abort')
    expect(server.closes[2]).toEqual({ reason: 'close', code: 1006, text: 'for the log' })
    await server.close()
  })

  it('hears the Close frame of its peer although it is paused behind its own', async () => {
    const server = await serveWebSockets(transport, { onSocket() {} })
    const client = await open(transport, server.url)
    server.sockets[0]!.close({ code: 4000 })
    server.sockets[0]!.pause()
    // The other kind of client answers by itself.
    if (client instanceof Http2WebSocket) {
      await until('the client knows', () => client.closeCode)
      await client.close(4000)
    }
    await until('it closed', () => server.closes.length === 1)
    expect(server.closes[0]).toMatchObject({ reason: 'close' })
    expect(server.closes[0]!.code).toBeGreaterThanOrEqual(4000)
    await server.close()
  })

  it('goes away with 1001 when the manager closes', async () => {
    const server = await serveWebSockets(transport)
    const client = await open(transport, server.url)
    await server.close()
    await until('told', () => client.closed())
    expect(client.closed()?.code).toBe(1001)
    expect(server.closes).toEqual([{ reason: 'manager', code: 1006, text: '' }])
  })
})
