import http2, { type ClientHttp2Session } from 'node:http2'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type DomEvent, type WebSocketFace } from '../../dist/index.js'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { serveWebSockets, type WebSocketServerOptions } from '../helpers/websocket-server.js'
import { clientFrame, Http2WebSocket } from '../helpers/websocket.js'

const sessions: ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await StreamManager.open().close()
})

async function open(options: WebSocketServerOptions = {}, deflate = false) {
  const server = await serveWebSockets('h2', { onSocket: () => {}, ...options })
  const session = connect(server.url)
  sessions.push(session)
  const client = await Http2WebSocket.open(session, { deflate })
  const face: WebSocketFace = server.sockets[0]!.toWebSocket()
  return { server, client, face }
}

describe('the ws-shaped face', () => {
  it('sends what ws takes, and says when it was written', async () => {
    const { server, client, face } = await open()
    expect([face.readyState, face.OPEN, face.protocol, face.extensions]).toEqual([1, 1, '', ''])
    face.send('text')
    face.send(7)
    face.send(new Uint8Array([1, 2]).buffer)
    face.send(new Uint16Array([0x0403]))
    face.send([new Uint8Array([5]), new Uint8Array([6])])
    face.send(Buffer.from('text of bytes'), { binary: false })
    await new Promise<void>((resolve, reject) =>
      face.send('last', (error) => (error ? reject(error) : resolve())),
    )
    expect(await client.next(7)).toEqual([
      'text',
      '7',
      Buffer.from([1, 2]),
      Buffer.from([3, 4]),
      Buffer.from([5, 6]),
      'text of bytes',
      'last',
    ])
    await until('all was taken', () => face.bufferedAmount === 0)
    const ping = once(client, 'ping') as Promise<[Buffer]>
    await new Promise<void>((resolve) => face.ping('anyone', false, () => resolve()))
    expect(String((await ping)[0])).toBe('anyone')
    client.sendRaw(clientFrame('anyone', { opcode: 10 }))
    expect(String(((await once(face, 'pong')) as [Buffer])[0])).toBe('anyone')
    await server.close()
  })

  it('hears nothing behind its close, where messages are still being inflated', async () => {
    const { server, client, face } = await open({ perMessageDeflate: true }, true)
    const events: string[] = []
    for (const event of ['message', 'ping', 'close'] as const)
      face.on(event, () => events.push(event))
    for (let i = 0; i < 20; i++) client.send('x'.repeat(1 << 20))
    client.sendRaw(clientFrame('', { opcode: 9 }))
    await until('the first came', () => events.length > 0)
    client.stream.close(http2.constants.NGHTTP2_CANCEL)
    await until('it closed', () => events.includes('close'))
    // Until zlib must have done what it was given.
    await promisify(inflate)(await promisify(deflate)(Buffer.alloc(20 << 20)))
    expect(events.at(-1)).toBe('close')
    await server.close()
  })

  it('tells its listeners, in both styles', async () => {
    const { server, client, face } = await open()
    const seen: unknown[] = []
    face.on('message', (data: Buffer, isBinary: boolean) => seen.push([String(data), isBinary]))
    face.onmessage = ({ data }: DomEvent) => seen.push(data)
    const removed = () => seen.push('removed')
    face.addEventListener('message', removed)
    face.removeEventListener('message', removed)
    face.addEventListener('message', () => seen.push('once'), { once: true })
    client.send('one')
    client.send(Buffer.from('two'))
    await until('both came', () => seen.length === 5)
    expect(seen).toEqual([['one', false], 'one', 'once', ['two', true], Buffer.from('two')])
    face.binaryType = 'arraybuffer'
    client.send(Buffer.from([1]))
    await until('it came', () => seen.length === 7)
    expect(seen[6]).toEqual(new Uint8Array([1]).buffer)

    const ends: unknown[] = []
    face.on('close', (code: number, reason: Buffer) => ends.push([code, String(reason)]))
    face.onclose = ({ code, reason, wasClean }) => ends.push({ code, reason, wasClean })
    await client.close(4000, 'bye')
    await until('told', () => ends.length === 2)
    expect(ends).toEqual([[4000, 'bye'], { code: 4000, reason: 'bye', wasClean: true }])
    expect(face.readyState).toBe(face.CLOSED)
    const error = await new Promise((resolve) => face.send('late', resolve))
    expect(error).toMatchObject({ code: 'ERR_HOLDFAST_STREAM_DEAD' })
    await server.close()
  })

  it('tells of a peer that breaks the protocol, and throws nothing where nobody listens', async () => {
    const { server, client, face } = await open()
    const errors: Error[] = []
    face.onerror = ({ error }) => errors.push(error!)
    client.sendRaw(clientFrame('x', { mask: false }))
    await until('told', () => errors.length === 1)
    expect(errors[0]).toMatchObject({ code: 'WS_ERR_EXPECTED_MASK' })
    const second = await Http2WebSocket.open(sessions[0]!)
    server.sockets[1]!.toWebSocket()
    second.sendRaw(clientFrame('x', { mask: false }))
    await until('closed', () => second.closeCode === 1002)
    await server.close()
  })

  it('says that the budget is used up, or closes where nobody would know', async () => {
    const { server, client, face } = await open({ manager: { sendBudgetBytes: 100_000 } })
    // More than the client's window takes, and the client is of this thread: some waits meanwhile.
    const large = Buffer.alloc(90_000)
    face.send(large)
    const error = await new Promise((resolve) => face.send(large, resolve))
    expect(error).toMatchObject({ code: 'ERR_HOLDFAST_STREAM_DEAD' })
    expect(face.readyState).toBe(face.OPEN)
    await client.next(1)
    await until('there is room', () => face.bufferedAmount === 0)
    face.send(large)
    face.send(large)
    await until('closed', () => client.closeCode)
    expect(client.closeCode).toBe(1013)
    expect(client.messages.length).toBe(2)
    await server.close()
  })

  it('breaks off with terminate', async () => {
    const { server, client, face } = await open()
    face.terminate()
    await until('broken off', () => client.isClosed)
    expect(client.closeCode).toBeUndefined()
    await until('told', () => server.closes.length === 1)
    expect(server.closes[0]).toEqual({ reason: 'close', code: 1006, text: '' })
    await server.close()
  })
})
