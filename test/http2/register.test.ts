import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import { type Duplex, PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type ManagedStream, type StreamTarget } from '../../dist/index.js'
import { Collector } from '../helpers/collector.js'
import { connect, get } from '../helpers/client.js'
import { serve, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let server: TestServer | undefined
const cleanUps: (() => void)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
  await server?.close()
  await StreamManager.open().close()
  server = undefined
})

/** Serves HTTP/2, gives each request's stream or response to `take`, connects a client. */
async function http2Server(take: (target: StreamTarget) => void, compat = false) {
  const serverOf = http2.createServer()
  if (compat) serverOf.on('request', (_request, response) => take(response))
  else serverOf.on('stream', (stream) => take(stream))
  server = await serve(serverOf)
  const client = connect(server.url)
  cleanUps.push(() => client.destroy())
  return { manager: server.manager, client }
}

describe('what can be registered', () => {
  for (const compat of [false, true]) {
    it(`an HTTP/2 ${compat ? 'response of the compat API' : 'stream'} that the handler answered`, async () => {
      let managed: ManagedStream | undefined
      const { manager, client } = await http2Server((target) => {
        if (target instanceof http2.Http2ServerResponse) target.writeHead(200).write('head;')
        else (target as http2.ServerHttp2Stream).respond({ ':status': 200 })
        managed = manager.register(target)
      }, compat)
      const reading = await get(client)
      expect(manager.send(managed!.uid, 'body')).toBe('sent')
      await until('the message arrived', () => reading.text().endsWith('body'))
      expect(managed!.kind).toBe('raw')
      managed!.close()
      await until('the client saw the end', reading.closed)
      // An end, and no reset when the time for it was up.
      expect(reading.stream.rstCode).toBe(0)
      expect(manager.has(managed!.uid)).toBe(false)
    })
  }

  it('an HTTP/1.1 response, as an event stream', async () => {
    let managed: ManagedStream | undefined
    const node = http.createServer((_request, response) => {
      managed = StreamManager.open()
        .sse(response, { headers: { 'x-extra': 'yes' } })
        .detach()
    })
    server = await serve(node)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      http.get(server!.url, resolve).on('error', reject)
    })
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(response.headers['cache-control']).toBe('no-cache, no-transform')
    expect(response.headers['x-extra']).toBe('yes')
    managed!.send('one')
    await until('the event arrived', () => text === 'data: one\n\n')
    const closes: string[] = []
    managed!.on('close', ({ reason }) => closes.push(reason))
    response.destroy()
    await until('the stream is gone', () => !server!.manager.has(managed!.uid))
    expect(closes).toEqual(['abort'])
    expect(server.manager.stats().activeSockets).toBe(0)
  })

  it('a Duplex, which is its own socket', async () => {
    const manager = StreamManager.open()
    const raw = new Collector()
    const managed = manager.register(raw, { tags: ['a', 'b'] })
    expect(managed.socket.owner).toBe(raw)
    expect(managed.tags).toEqual(['a', 'b'])
    expect(manager.send(managed.uid, new Uint8Array([104, 105]))).toBe('sent')
    await until('it was written', () => raw.text() === 'hi')
    raw.destroy()
    await until('it is gone', () => !manager.has(managed.uid))
  })

  it('keeps a message that is larger than every buffer on its way whole', async () => {
    const manager = StreamManager.open({ sendBudgetBytes: 2 ** 23 })
    const raw = new Collector()
    const managed = manager.register(raw)
    const text = 'ü'.repeat(1_500_000)
    expect(manager.send(managed.uid, text)).toBe('sent')
    await until('it was written', () => raw.text() === text)
  })
})

describe('the three callbacks of an events socket', () => {
  it('tell of each stream that came, was detached and went', async () => {
    const events: string[] = []
    const streams: ManagedStream[] = []
    const { manager, client } = await http2Server((target) => streams.push(manager.sse(target)))
    manager.on('socket', (socket) => {
      expect(socket.streamCount).toBe(0)
      socket.on('streamCreated', (stream) => events.push(`created ${stream.kind}`))
      socket.on('streamDetached', (stream) => events.push(`detached ${stream.detached}`))
      socket.on('streamDestroyed', (_stream, { reason }) => events.push(`destroyed ${reason}`))
    })
    const first = await get(client)
    const second = await get(client)
    const { socket } = streams[0]!
    expect(
      socket
        .streams()
        .map((stream) => stream.uid)
        .sort(),
    ).toEqual(streams.map((stream) => stream.uid).sort())
    expect(socket.ids.length).toBeGreaterThan(0)
    expect(streams[0]!.detach()).toBe(streams[0])
    streams[0]!.detach()
    first.stream.close(http2.constants.NGHTTP2_CANCEL)
    await until('the first is gone', () => socket.streamCount === 1)
    streams[1]!.close({ reason: 'enough' })
    await until('the second is gone', () => socket.streamCount === 0 && second.closed())
    expect(events).toEqual([
      'created sse',
      'created sse',
      'detached true',
      'destroyed abort',
      'destroyed close',
    ])
    expect(manager.stats()).toMatchObject({ detachedStreams: 0, activeSseStreams: 0 })
  })
})

describe('why a stream closed', () => {
  const causes: Record<
    string,
    (
      client: http2.ClientHttp2Session,
      stream: http2.ClientHttp2Stream,
      managed: ManagedStream,
    ) => void
  > = {
    abort: (_client, stream) => stream.close(http2.constants.NGHTTP2_CANCEL),
    reset: (_client, stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    session: (client) => client.destroy(),
    close: (_client, _stream, managed) => void managed.close({ code: 8, reason: 'why not' }),
    manager: () => void server!.manager.close(),
  }
  for (const [reason, cause] of Object.entries(causes)) {
    it(`is told once, as ${reason}, and counted`, async () => {
      let managed: ManagedStream | undefined
      const closes: unknown[] = []
      const { manager, client } = await http2Server((target) => {
        managed = manager.sse(target).detach()
        managed.on('close', (close) => closes.push(close))
      })
      const reading = await get(client)
      const before = manager.stats().closed
      cause(client, reading.stream, managed!)
      await until('it closed', () => closes.length > 0)
      const detail = reason === 'close' ? { code: 8, text: 'why not' } : { code: 0, text: '' }
      expect(closes).toEqual([{ reason, ...detail }])
      // Resolves at once but for the manager that is closing.
      if (reason === 'manager') await manager.close()
      const after = StreamManager.open().stats().closed
      expect(after[reason as 'abort'] - before[reason as 'abort']).toBe(1)
      expect(managed!.live).toBe(false)
    })
  }

  it('is told as end when the handler ends the stream itself', async () => {
    const closes: string[] = []
    const { manager, client } = await http2Server((target) => {
      manager.sse(target).on('close', ({ reason }) => closes.push(reason))
      setImmediate(() => (target as http2.ServerHttp2Stream).end())
    })
    await get(client)
    await until('it closed', () => closes.length > 0)
    expect(closes).toEqual(['end'])
  })
})

describe('why a Duplex closed', () => {
  const causes: Record<string, (raw: Duplex) => void> = {
    end: (raw) => void raw.end(),
    reset: (raw) => void raw.destroy(new Error('broken')),
    abort: (raw) => void raw.destroy(),
  }
  for (const [reason, cause] of Object.entries(causes)) {
    it(`is told as ${reason}`, async () => {
      const closes: string[] = []
      const raw = new Collector()
      StreamManager.open()
        .register(raw)
        .on('close', (close) => closes.push(close.reason))
      raw.push(null)
      raw.resume()
      cause(raw)
      await until('it closed', () => closes.length > 0)
      expect(closes).toEqual([reason])
    })
  }
})

describe('a session that its server closes', () => {
  it('stays up while it carries a detached stream, and closes with it', async () => {
    let managed: ManagedStream | undefined
    const { manager, client } = await http2Server((target) => {
      managed = manager.sse(target).detach()
    })
    const reading = await get(client)
    const { socket } = managed!
    socket.close()
    await until('the client was told', () => client.closed)
    expect(managed!.send('still here')).toBe('sent')
    await until('it arrived', () => reading.text() === 'data: still here\n\n')
    expect(socket.live).toBe(true)
    managed!.close()
    await until('the socket closed', () => !socket.live)
  })
})

describe('a stream whose user ends it without telling', () => {
  it('answers gone, and counts it so', async () => {
    const manager = StreamManager.open()
    const raw = new PassThrough()
    const managed = manager.register(raw)
    const before = manager.stats()
    raw.end()
    expect(manager.send(managed.uid, 'late')).toBe('gone')
    expect(manager.send(managed.uid, 'later')).toBe('gone')
    const after = manager.stats()
    expect(after.messagesSent - before.messagesSent).toBe(0)
    expect(after.messagesGone - before.messagesGone).toBe(2)
    raw.resume()
    await until('it is gone', () => !manager.has(managed.uid))
  })
})

describe('a stream whose user ends it, and that lives on', () => {
  it('has nothing reserved for what is published to it, and is closing', async () => {
    const manager = StreamManager.open()
    const raw = new PassThrough()
    const managed = manager.register(raw)
    managed.subscribe('t')
    raw.end()
    const before = manager.stats()
    manager.publish('t', 'late')
    await until(
      'it is counted',
      () => manager.stats().messagesUndeliverable > before.messagesUndeliverable,
    )
    expect(managed.queuedBytes).toBe(0)
    expect(manager.find(managed.uid)).toMatchObject({ closing: true })
    raw.resume()
    await until('it is gone', () => !manager.has(managed.uid))
  })
})

describe('a response that died before it was registered', () => {
  it('is refused before anything changed', async () => {
    const manager = StreamManager.open()
    const dead = new Collector()
    dead.destroy()
    const codes: unknown[] = []
    const attempt = (act: () => unknown): void => {
      try {
        act()
      } catch (error) {
        codes.push((error as { code?: unknown }).code)
      }
    }
    const live = new Collector()
    manager.register(live)
    const before = manager.stats()
    attempt(() => manager.register(dead))
    attempt(() => manager.register(live))
    attempt(() => manager.register({} as Duplex))
    attempt(() => manager.register(null as unknown as Duplex))
    attempt(() => manager.sse(new Collector()))
    attempt(() => manager.register(new Collector(), { kind: 'websocket' as 'raw' }))
    attempt(() => manager.register(new Collector(), { tags: ['x'.repeat(256)] }))
    attempt(() => manager.register(new Collector(), { tags: ['a\0b'] }))
    attempt(() => manager.register(new Collector(), { tags: ['half \ud83d'] }))
    attempt(() => manager.register(new Collector(), { colour: 'red' } as object))
    expect(codes).toEqual([
      'ERR_HOLDFAST_STREAM_DEAD',
      'ERR_HOLDFAST_ALREADY_REGISTERED',
      'ERR_HOLDFAST_INVALID_STREAM',
      'ERR_HOLDFAST_INVALID_STREAM',
      'ERR_HOLDFAST_INVALID_STREAM',
      'ERR_HOLDFAST_INVALID_OPTION',
      'ERR_HOLDFAST_INVALID_OPTION',
      'ERR_HOLDFAST_INVALID_OPTION',
      'ERR_HOLDFAST_INVALID_OPTION',
      'ERR_HOLDFAST_INVALID_OPTION',
    ])
    expect(manager.stats()).toEqual(before)
  })

  it('also when it has begun and is asked to be an event stream', async () => {
    let code: unknown
    const { manager, client } = await http2Server((target) => {
      ;(target as http2.ServerHttp2Stream).respond({ ':status': 200 })
      try {
        manager.sse(target)
      } catch (error) {
        code = (error as { code?: unknown }).code
      }
      ;(target as http2.ServerHttp2Stream).end()
    })
    await get(client)
    expect(code).toBe('ERR_HOLDFAST_HEADERS_SENT')
  })

  it('also a compat response whose client has gone', async () => {
    let response: http2.Http2ServerResponse | ServerResponse | undefined
    const { manager, client } = await http2Server((target) => {
      response = target as http2.Http2ServerResponse
    }, true)
    const request = client.request({ ':path': '/' })
    request.on('error', () => {})
    await until('the request arrived', () => response)
    request.close(http2.constants.NGHTTP2_CANCEL)
    await until(
      'the response is dead',
      () =>
        !(response as http2.Http2ServerResponse).stream ||
        (response as http2.Http2ServerResponse).stream.destroyed,
    )
    expect(() => manager.sse(response!)).toThrowError(
      expect.objectContaining({ code: 'ERR_HOLDFAST_STREAM_DEAD' }),
    )
  })
})
