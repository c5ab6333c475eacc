import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type ManagedStream, type WebSocketOptions } from '../../dist/index.js'
import { carrierOptions, isNative } from '../helpers/carrier.js'
import { connect } from '../helpers/client.js'
import { serve } from '../helpers/server.js'
import { until } from '../helpers/wait.js'
import { serveWebSockets } from '../helpers/websocket-server.js'
import { Http2WebSocket, type Http2WebSocketOptions } from '../helpers/websocket.js'

const sessions: http2.ClientHttp2Session[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await StreamManager.open().close()
})

function session(url: string): http2.ClientHttp2Session {
  const opened = connect(url)
  sessions.push(opened)
  return opened
}

async function ask(
  options: WebSocketOptions,
  request: Http2WebSocketOptions,
): Promise<http2.IncomingHttpHeaders> {
  const server = await serveWebSockets('h2', options)
  const { headers } = await Http2WebSocket.open(session(server.url), request)
  await server.close()
  return headers
}

/** The response to what is no proper Upgrade, by its text. */
async function upgrade(fields: Record<string, string>, method = 'GET'): Promise<string> {
  const server = await serveWebSockets('http1')
  const socket = net.connect(server.port, '127.0.0.1')
  const all: Record<string, string> = {
    host: 'localhost',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
    ...fields,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} / HTTP/1.1\r\n${lines.join('')}\r\n`)
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  while (!text.includes('\r\n\r\n')) await once(socket, 'data')
  const ended = text.startsWith('HTTP/1.1 101') || once(socket, 'close')
  await ended
  socket.destroy()
  await server.close()
  return text
}

describe('a WebSocket that a listener ends as it is created', () => {
  const onEachStream = (listener: (stream: ManagedStream) => unknown): void => {
    const manager = StreamManager.open(carrierOptions)
    manager.on('socket', (socket) => socket.on('streamCreated', listener))
  }

  it('says farewell where the manager was closed', async () => {
    onEachStream(() => void StreamManager.open().close())
    const server = await serveWebSockets('h2', { onSocket() {} })
    const client = await Http2WebSocket.open(session(server.url))
    await until('it was told', () => client.closeCode !== undefined)
    expect(client.closeCode).toBe(1001)
    await server.close()
  })

  it('is reset where it was reset', async () => {
    onEachStream((stream) => stream.close({ code: 8 }))
    const server = await serveWebSockets('h2', { onSocket() {} })
    const opening = session(server.url)
    await once(opening, 'remoteSettings')
    const request = opening.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/',
        ':scheme': 'http',
        'sec-websocket-version': '13',
      },
      { endStream: false },
    )
    request.on('error', () => {})
    await once(request, 'close')
    expect(request.rstCode).toBe(8)
    await server.close()
  })
})

describe('extended CONNECT', () => {
  it('that its peer has ended already is answered', async () => {
    const server = await serveWebSockets('h2', { onSocket() {} })
    const opened = session(server.url)
    await once(opened, 'remoteSettings')
    const request = opened.request(
      {
        ...{ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':scheme': 'http' },
        'sec-websocket-version': '13',
      },
      { endStream: true },
    )
    const [headers] = (await once(request, 'response')) as [http2.IncomingHttpHeaders]
    // A reactor knows that nothing can come; node takes it, and hears its end.
    expect(headers[':status']).toBe(isNative ? 400 : 200)
    await server.close()
  })

  it('takes the protocol in any case, as proxies write it', async () => {
    expect(await ask({}, { protocol: 'WebSocket' })).toMatchObject({ ':status': 200 })
  })

  it('refuses another protocol, another version, and headers that cannot be parsed', async () => {
    expect(await ask({}, { protocol: 'connect-udp' })).toMatchObject({ ':status': 501 })
    expect(await ask({}, { headers: { 'sec-websocket-version': '8' } })).toMatchObject({
      ':status': 400,
      'sec-websocket-version': '13',
    })
    const headers = { 'sec-websocket-protocol': 'a,,b' }
    expect(await ask({}, { headers })).toMatchObject({ ':status': 400 })
    const extensions = { 'sec-websocket-extensions': 'permessage-deflate; =' }
    const deflate = { perMessageDeflate: true }
    expect(await ask(deflate, { headers: extensions })).toMatchObject({ ':status': 400 })
  })

  it('chooses a subprotocol of the client that the server speaks, or none', async () => {
    const headers = { 'sec-websocket-protocol': 'one, two, three' }
    const chosen = async (options: WebSocketOptions) =>
      (await ask(options, { headers }))['sec-websocket-protocol']
    expect(await chosen({ protocols: ['three', 'two'] })).toBe('two')
    expect(await chosen({ protocols: ['four'] })).toBeUndefined()
    expect(await chosen({})).toBeUndefined()
    expect(await chosen({ selectProtocol: (offered) => offered.at(-1) })).toBe('three')
    expect(await chosen({ selectProtocol: () => undefined })).toBeUndefined()
  })

  it('proves that it read the key where a client sent one', async () => {
    const headers = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
    expect(await ask({}, { headers })).toMatchObject({
      'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    })
  })

  it.each(['before', 'after'])('works with a request listener added %s ours', async (order) => {
    const server = http2.createServer({ settings: { enableConnectProtocol: true } })
    const onRequest = (_: unknown, response: http2.Http2ServerResponse) => response.end('page')
    if (order === 'before') server.on('request', onRequest)
    server.on('stream', (stream, headers) => {
      if (headers[':protocol'] === undefined) return
      const socket = StreamManager.open().websocket(stream, headers)!
      socket.on('message', (data) => socket.send(data))
    })
    if (order === 'after') server.on('request', onRequest)
    const test = await serve(server)
    const client = session(test.url)
    const socket = await Http2WebSocket.open(client)
    expect(socket.status).toBe(200)
    socket.send('hello')
    expect(await socket.next(1)).toEqual(['hello'])
    // A CONNECT that is none of ours is answered as without us.
    const plain = client.request({ ':method': 'CONNECT', ':authority': 'elsewhere:80' })
    plain.on('error', () => {})
    const [headers] = (await once(plain, 'response')) as [http2.IncomingHttpHeaders]
    expect(headers[':status']).toBe(405)
    await test.close()
  })

  it('is refused as node would where nobody is there for it', async () => {
    const server = http2.createServer({ settings: { enableConnectProtocol: true } })
    server.on('request', (_, response) => response.end('page'))
    const test = await serve(server)
    const { status } = await Http2WebSocket.open(session(test.url))
    expect(status).toBe(405)
    await test.close()
  })

  it('can be taken from the compatibility API and from manager.on(stream)', async () => {
    const settings = { enableConnectProtocol: true }
    const compat = http2.createServer({ settings })
    compat.on('request', (_, response) => response.end())
    compat.on('connect', (request: http2.Http2ServerRequest) => {
      const socket = StreamManager.open().websocket(request)!
      socket.on('message', (data) => socket.send(data))
    })
    const first = await serve(compat)
    const one = await Http2WebSocket.open(session(first.url))
    one.send('compat')
    expect(await one.next(1)).toEqual(['compat'])
    await first.close()

    const manager = StreamManager.open(carrierOptions)
    manager.on('stream', (stream, headers) => {
      const socket = manager.websocket(stream, headers)!
      socket.on('message', (data) => socket.send(data))
    })
    const second = await serve(http2.createServer({ settings }))
    const two = await Http2WebSocket.open(session(second.url))
    two.send('request stream')
    expect(await two.next(1)).toEqual(['request stream'])
    await two.close(1000)
    expect(two.closeCode).toBe(1000)
    await second.close()
  })

  it('leaves the request unanswered when the limit is reached', async () => {
    const codes: string[] = []
    const server = http2.createServer({ settings: { enableConnectProtocol: true } })
    server.on('stream', (stream, headers) => {
      try {
        StreamManager.open().websocket(stream, headers)
      } catch (error) {
        codes.push((error as { code: string }).code)
        stream.respond({ ':status': 503 }, { endStream: true })
      }
    })
    const test = await serve(server, { maxStreamsPerWorker: 1 })
    const client = session(test.url)
    const statuses = [await Http2WebSocket.open(client), await Http2WebSocket.open(client)]
    expect(statuses.map(({ status }) => status)).toEqual([200, 503])
    expect(codes).toEqual(['ERR_HOLDFAST_WORKER_LIMIT'])
    await test.close()
  })
})

describe('an HTTP/1.1 Upgrade', () => {
  it('is answered with the proof of RFC 6455', async () => {
    const text = await upgrade({ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' })
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    expect(text.toLowerCase()).toContain('sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n')
  })

  it.each([
    ['no key', { 'sec-websocket-key': '' }, /^HTTP\/1\.1 400 /],
    ['a key that is none', { 'sec-websocket-key': 'short' }, /^HTTP\/1\.1 400 /],
    ['another protocol', { upgrade: 'h2c' }, /^HTTP\/1\.1 400 /],
    [
      'another version',
      { 'sec-websocket-version': '8' },
      /^HTTP\/1\.1 426 [^]*sec-websocket-version: 13/,
    ],
  ])('is refused with %s', async (_, fields, expected) => {
    expect(await upgrade(fields)).toMatch(expected)
  })

  it('is refused with another method', async () => {
    expect(await upgrade({}, 'POST')).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('wrong use', () => {
  const throws = (call: () => unknown, code: string) =>
    expect(call).toThrowError(expect.objectContaining({ code }))

  it('is refused before anything was answered', async () => {
    const manager = StreamManager.open(carrierOptions)
    const seen: string[] = []
    const server = http.createServer((request, response) => {
      throws(() => manager.websocket(request, Buffer.alloc(0)), 'ERR_HOLDFAST_INVALID_STREAM')
      seen.push('request')
      response.end()
    })
    server.on('upgrade', (request, socket, head) => {
      throws(() => manager.websocket(request), 'ERR_HOLDFAST_INVALID_ARGUMENT')
      for (const options of [
        { maxMessageBytes: 0 },
        { protocols: ['a b'] },
        { protocols: ['a'], selectProtocol: () => 'a' },
        { perMessageDeflate: { serverMaxWindowBits: 8 } },
        { perMessageDeflate: { colour: 'red' } },
        { color: 'red' },
      ]) {
        throws(() => manager.websocket(request, head, options), 'ERR_HOLDFAST_INVALID_OPTION')
      }
      throws(
        () => manager.websocket(request, head, { selectProtocol: () => 'not offered' }),
        'ERR_HOLDFAST_INVALID_OPTION',
      )
      seen.push('upgrade')
      socket.destroy()
    })
    throws(() => manager.websocket({} as never), 'ERR_HOLDFAST_INVALID_STREAM')
    const test = await serve(server)
    await fetch(test.url)
    const request = http.get(test.url, {
      headers: {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'a',
      },
    })
    await new Promise((resolve) => request.once('error', resolve))
    expect(seen).toEqual(['request', 'upgrade'])
    expect(manager.stats().activeStreams).toBe(0)
    await test.close()
  })
})
