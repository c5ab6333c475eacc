import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generate } from 'selfsigned'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StreamManager } from '../../dist/index.js'
import { openSockets } from '../helpers/fds.js'
import { connect, get } from '../helpers/client.js'
import { frame, RawClient } from '../helpers/raw-http2.js'
import { serve, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let tls: { key: string; cert: string }
let server: TestServer | undefined

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
  tls = { key, cert }
})

afterEach(async () => {
  await server?.close()
  await StreamManager.open().close()
  server = undefined
})

describe('a server that is given connections', () => {
  it('speaks HTTP/2 over TLS, and HTTP/1.1 where the client knows no more', async () => {
    const node = http2.createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
      response.end(request.httpVersion)
    })
    server = await serve(node)
    const url = `https://127.0.0.1:${server.port}`
    const client = connect(url, { rejectUnauthorized: false })
    const reading = await get(client)
    await until('it answered', () => reading.text() === '2.0')
    const request = https.get(url, { rejectUnauthorized: false, agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe('1.1')
    client.destroy()
    await until('both are forgotten', () => server!.manager.workers()[0]?.load === 0)
  })

  it('turns away whom the server was told to block', async () => {
    const node = http.createServer((_request, response) => response.end('hello'))
    const blockList = new net.BlockList()
    server = await serve(Object.assign(node, { blockList }))
    const ask = async (): Promise<string> => {
      const request = http.get(server!.url, { agent: false })
      return once(request, 'response').then(
        () => 'answered',
        () => 'refused',
      )
    }
    expect(await ask()).toBe('answered')
    blockList.addAddress('127.0.0.1')
    expect(await ask()).toBe('refused')
  })

  it('ends a TLS session whose client left behind a broken frame', async () => {
    const node = http2.createSecureServer(tls)
    const closes: string[] = []
    node.on('stream', (stream) => {
      server!.manager.sse(stream).on('close', ({ reason }) => closes.push(reason))
    })
    server = await serve(node, { pingIntervalMs: 0 })
    const before = openSockets()
    const client = connectTls({
      port: server.port,
      host: '127.0.0.1',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    })
    client.on('error', () => {})
    await once(client, 'secureConnect')
    const raw = new RawClient(client)
    raw.get(1, '/')
    await until('the stream is held', () => server!.manager.stats().activeSseStreams === 1)
    raw.send(frame.data, 0, 0, Buffer.from('x'))
    await until('it was told', () => raw.received(frame.goaway).length > 0)
    client.end()
    await until('the stream closed', () => closes.length > 0)
    expect(closes).toEqual(['session'])
    client.destroy()
    await until('the descriptor is back', () => openSockets() === before)
  })

  it('cuts off a client that does not finish its headers', async () => {
    const node = http.createServer(
      { headersTimeout: 200, connectionsCheckingInterval: 50 },
      (_request, response) => {
        response.end()
      },
    )
    server = await serve(node)
    const client = net.connect(server.port, '127.0.0.1')
    client.on('error', () => {})
    client.write('GET / HTTP/1.1\r\nHost: x\r\n')
    let answer = ''
    client.setEncoding('latin1').on('data', (text: string) => (answer += text))
    await once(client, 'close')
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
  })

  it('knows its connections, refuses those above its maximum, and forgets them', async () => {
    const node = http.createServer((_request, response) => response.end('ok'))
    node.maxConnections = 2
    let dropped = 0
    node.on('drop', () => dropped++)
    server = await serve(node)
    const clients = [1, 2, 3].map(() => net.connect(server!.port, '127.0.0.1'))
    for (const client of clients) client.on('error', () => {})
    const count = (): Promise<number> =>
      new Promise((resolve) => node.getConnections((_error, connections) => resolve(connections)))
    await until('one was refused', () => dropped === 1)
    expect(await count()).toBe(2)
    expect(server.manager.workers()[0]?.connections).toBe(2)
    for (const client of clients) client.destroy()
    await until('they are forgotten', async () => (await count()) === 0)
    await until('their load too', () => server!.manager.workers()[0]?.load === 0)
  })

  it('takes no more when it is closed, and that is no error', async () => {
    const node = http2.createServer()
    server = await serve(node)
    const error = await new Promise((resolve) => node.close(resolve))
    expect(error).toBeUndefined()
    expect(server.manager.workers()[0]?.accepting).toBe(false)
    // The thread may accept for another server now.
    server.manager.accept(http.createServer((_request, response) => response.end('next')))
    const [response] = (await once(http.get(server.url, { agent: false }), 'response')) as [
      http.IncomingMessage,
    ]
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe('next')
  })

  it('does not count a connection off the manager that comes after its own', async () => {
    const node = http.createServer((_, response) => response.end())
    server = await serve(node)
    const opened = once(node, 'connection') as Promise<[net.Socket]>
    const client = net.connect(server.port, '127.0.0.1')
    const [socket] = await opened
    await server.manager.close()
    const next = StreamManager.open()
    const closed = once(socket, 'close')
    client.destroy()
    await closed
    expect(next.workers()[0]).toMatchObject({ load: 0, connections: 0 })
  })

  it('is the only one of its thread', async () => {
    server = await serve(http2.createServer())
    expect(() => server!.manager.accept(http2.createServer())).toThrowError(
      expect.objectContaining({ code: 'ERR_HOLDFAST_ALREADY_ACCEPTING' }),
    )
    expect(() => server!.manager.accept({} as net.Server)).toThrowError()
  })
})

describe('listen', () => {
  it('lets connections wait until somebody accepts', async () => {
    const manager = StreamManager.open()
    const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
    const client = connect(`http://127.0.0.1:${port}`)
    const reading = get(client)
    await once(client, 'connect')
    const node = http2.createServer((_request, response) => response.end('at last'))
    manager.accept(node)
    await until('it was answered', async () => (await reading).text() === 'at last')
    client.destroy()
  })

  it('serves IPv4 and IPv6 on one port, and only IPv6 if asked', async () => {
    const manager = StreamManager.open()
    manager.accept(http.createServer((_request, response) => response.end('ok')))
    const both = await manager.listen({})
    for (const host of ['127.0.0.1', '[::1]']) {
      const request = http.get(`http://${host}:${both.port}`, { agent: false })
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      expect((await response.setEncoding('utf8').toArray()).join('')).toBe('ok')
    }
    const only = await manager.listen({ host: '::', ipv6Only: true })
    const refused = net.connect(only.port, '127.0.0.1')
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })

  it('tells why a port cannot be opened', async () => {
    const manager = StreamManager.open()
    const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
    const attempt = manager.listen({ port, host: '127.0.0.1' })
    await expect(attempt).rejects.toMatchObject({
      code: 'ERR_HOLDFAST_LISTEN',
      cause: { code: 'EADDRINUSE', syscall: 'listen' },
    })
    for (const options of [
      { port: -1 },
      { port: 65536 },
      { port: '80' },
      { backlog: 0 },
      { tls: {} },
    ]) {
      await expect(manager.listen(options as object)).rejects.toMatchObject({
        code: 'ERR_HOLDFAST_INVALID_OPTION',
      })
    }
  })

  it('closes its port, and leaves no descriptor behind', async () => {
    const before = openSockets()
    const manager = StreamManager.open()
    const listening = await manager.listen({ port: 0, host: '127.0.0.1' })
    const neighbour = await manager.listen({ port: listening.port, host: '::1' })
    listening.close()
    listening.close()
    const refused = net.connect(listening.port, '127.0.0.1')
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    const waiting = net.connect(neighbour.port, '::1')
    await once(waiting, 'connect')
    waiting.destroy()
    neighbour.close()
    await until('the descriptors are back', () => openSockets() === before)
  })
})
