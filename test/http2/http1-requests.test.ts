import { once } from 'node:events'
import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, it } from 'vitest'
import { fetchListener, StreamManager, type RequestStream } from '../../dist/index.js'
import { collectUncaught } from '../helpers/uncaught.js'
import { serve, type TestServer } from '../helpers/server.js'
import type { Handler } from '../helpers/requests.js'
import { until } from '../helpers/wait.js'

let server: TestServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
  await StreamManager.open().close()
})

async function serving(handler: Handler): Promise<TestServer> {
  server = await serve(http.createServer())
  server.manager.on('stream', handler)
  return server
}

async function ask(options: RequestOptions = {}, body?: Readable | string) {
  const request = http.request(server!.url, { agent: false, ...options })
  const informational: number[] = []
  request.on('information', ({ statusCode }) => informational.push(statusCode))
  if (body instanceof Readable) body.pipe(request)
  else request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const text = (await response.setEncoding('utf8').toArray()).join('')
  const { statusCode: status, headers, trailers } = response
  return { status, headers, trailers, text, informational }
}

describe('a request of HTTP/1.1 to a server that has no listener for it', () => {
  it('comes with the headers that HTTP/2 would give it', async () => {
    let seen: unknown
    await serving((stream, headers) => {
      seen = headers
      stream.end('x')
    })
    await ask({ path: '/a?b', headers: { 'x-one': '1', connection: 'close' } })
    expect(seen).toEqual({
      ':method': 'GET',
      ':path': '/a?b',
      ':scheme': 'http',
      ':authority': `127.0.0.1:${server!.port}`,
      'x-one': '1',
    })
  })

  it('is answered with status, interim answers, headers, body and trailers', async () => {
    await serving((stream) => {
      stream.respondInformational({ ':status': 103, link: '</a.css>; rel=preload' })
      const headers = { ':status': 201, 'set-cookie': ['a=1', 'b=2'], trailer: 'x-sum' }
      stream.respond(headers, { trailers: true })
      stream.write('first,')
      stream.end('last', { trailers: { 'x-sum': 'abc' } })
    })
    const answer = await ask()
    expect(answer).toMatchObject({ status: 201, text: 'first,last', informational: [103] })
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(answer.trailers).toEqual({ 'x-sum': 'abc' })
  })

  it('has no body for HEAD, 204 and 304, and may have none otherwise', async () => {
    await serving((stream, headers) => {
      const status = Number(headers[':path']!.slice(1))
      stream.respond({ ':status': status }, { endStream: status === 404 })
      if (status !== 404) stream.end('not for you')
    })
    for (const [path, method] of [
      ['/200', 'HEAD'],
      ['/204', 'GET'],
      ['/304', 'GET'],
      ['/404', 'GET'],
    ]) {
      const answer = await ask({ path: path!, method: method! })
      expect(answer).toMatchObject({ status: Number(path!.slice(1)), text: '' })
    }
  })

  it('has its body read, echoed, and its trailers given', async () => {
    await serving(async (stream, headers) => {
      if (headers[':path'] === '/duplex') {
        const duplex = stream.toDuplex()
        duplex.pipe(duplex)
        return
      }
      let size = 0
      for await (const chunk of stream.body) size += chunk.length
      stream.end(`${size} ${JSON.stringify(await stream.trailers)} ${stream.hasBody}`)
    })
    const text = 'x'.repeat(1_000_000)
    const echoed = await ask({ path: '/duplex', method: 'POST' }, text)
    expect(echoed.text === text).toBe(true)
    expect((await ask({ method: 'POST' }, text)).text).toBe('1000000 {} true')
    expect((await ask()).text).toBe('0 {} false')
    const headers = { 'transfer-encoding': 'chunked', trailer: 'x-after' }
    const request = http.request(server!.url, { agent: false, method: 'POST', headers })
    request.addTrailers({ 'x-after': 'yes' })
    request.end('abc')
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const [answer] = (await response.setEncoding('utf8').toArray()) as string[]
    expect(answer).toBe('3 {"x-after":"yes"} true')
  })

  it('is asked for its body once, when its client waits for that', async () => {
    await serving(async (stream) => {
      for await (const chunk of stream.body) stream.write(chunk)
      stream.end()
    })
    const headers = { expect: '100-continue', 'content-length': '3' }
    const request = http.request(server!.url, { agent: false, method: 'POST', headers })
    let continues = 0
    request.on('continue', () => {
      continues++
      request.end('now')
    })
    request.flushHeaders()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe('now')
    expect(continues).toBe(1)
  })

  it('leaves the connection fit for the next, whatever the handler did with the body', async () => {
    await serving(async (stream, headers) => {
      if (headers[':path'] === '/some') {
        const reader = stream.body.getReader()
        await reader.read()
        await reader.cancel()
      }
      stream.end(headers[':path'])
    })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number>()
    for (const path of ['/none', '/some', '/none']) {
      const body = Readable.from(Array<Buffer>(50).fill(Buffer.alloc(10_000)))
      const request = body.pipe(http.request(server!.url, { agent, path, method: 'POST' }))
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      ports.add(response.socket.localPort!)
      expect((await response.setEncoding('utf8').toArray()).join('')).toBe(path)
    }
    expect(ports.size).toBe(1)
    agent.destroy()
  })

  it('has its head at once, and its body read on behind a complete answer', async () => {
    let size = 0
    let answer = (): void => {}
    await serving(async (stream) => {
      stream.respond()
      await new Promise<void>((resolve) => (answer = resolve))
      const reader = stream.body.getReader()
      size += (await reader.read()).value!.length
      stream.end('early')
      for (;;) {
        const { value } = await reader.read()
        if (!value) return
        size += value.length
      }
    })
    // Node's own client gives its connection up when the answer comes first.
    const socket = connect(server!.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n')
    socket.write(Buffer.alloc(500_000))
    await until('its head came', () => text.includes('\r\n\r\n'))
    answer()
    await until('the answer came', () => text.endsWith('early\r\n0\r\n\r\n'))
    socket.write(Buffer.alloc(500_000))
    await until('it read all', () => size === 1_000_000)
    socket.destroy()
  })

  it('is a managed stream, reached by uid', async () => {
    let stream: RequestStream | undefined
    await serving((request) => {
      stream = request
      expect(server!.manager.sse(request).detach()).toBe(request)
    })
    const answer = ask()
    await until('it came', () => stream?.detached)
    const { manager } = server!
    expect(manager.get(stream!.uid)).toBe(stream)
    expect(manager.send(stream!.uid, 'by uid')).toBe('sent')
    manager.close(stream!.uid)
    expect((await answer).text).toBe('data: by uid\n\n')
    await until('it is gone', () => !manager.has(stream!.uid))
  })

  it('stops a handler whose client does not read', async () => {
    let written = 0
    await serving(async (stream) => {
      const chunk = Buffer.alloc(10_000)
      while (written < 50_000_000) {
        written += chunk.length
        if (!stream.write(chunk) && !(await stream.drained())) return
      }
      stream.end()
    })
    const request = http.get(server!.url, { agent: false })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let last = -1
    // What the sockets of both sides hold is the system's to say, but it ends far below all of it.
    for (let same = 0; same < 50; same++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (written !== last) same = 0
      last = written
    }
    expect(last).toBeLessThan(30_000_000)
    let read = 0
    for await (const chunk of response) read += (chunk as Buffer).length
    expect(read).toBe(50_000_000)
  })
})

describe('an HTTP/1.1 client or handler that fails', () => {
  it('breaks off in the middle of its body, and is no uncaught error', async () => {
    const uncaught = collectUncaught()
    const codes: unknown[] = []
    let aborted: AbortSignal | undefined
    await serving(async (stream) => {
      aborted = stream.signal
      try {
        for await (const chunk of stream.body) stream.write(chunk)
      } catch (error) {
        codes.push((error as { code: unknown }).code)
        throw error
      }
    })
    const socket = connect(server!.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf')
    await once(socket, 'data')
    socket.resetAndDestroy()
    await until('the handler knows', () => codes.length > 0)
    expect(codes).toEqual(['ERR_HOLDFAST_ABORTED'])
    expect(aborted!.aborted).toBe(true)
    expect(uncaught.messages).toEqual([])
    uncaught.stop()
  })

  it('answers 500 by throwing, and is reported', async () => {
    const uncaught = collectUncaught()
    await serving(() => {
      throw new Error('in the handler')
    })
    expect(await ask()).toMatchObject({ status: 500, text: '' })
    expect(uncaught.messages).toEqual(['in the handler'])
    uncaught.stop()
  })

  it('is answered 503 when the manager has closed and nobody else is there', async () => {
    const node = http.createServer()
    server = await serve(node)
    server.manager.on('stream', (stream) => stream.end('x'))
    node.listen(0, '127.0.0.1')
    await once(node, 'listening')
    const { port } = node.address() as { port: number }
    expect((await ask({ port })).text).toBe('x')
    await server.manager.close()
    expect((await ask({ port })).status).toBe(503)
  })
})

describe('a TLS server that allows HTTP/1.1', () => {
  it('serves both by one fetch handler', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
    server = await serve(http2.createSecureServer({ key, cert, allowHTTP1: true }))
    server.manager.on(
      'stream',
      fetchListener(async (request) => new Response(`${request.url} ${await request.text()}`)),
    )
    const url = `https://127.0.0.1:${server.port}/`
    const options = { rejectUnauthorized: false, agent: false, method: 'POST' } as const
    const request = https.request(url, options).end('body')
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    expect(response.httpVersion).toBe('1.1')
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe(`${url} body`)
  })
})
