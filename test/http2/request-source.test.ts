import { once } from 'node:events'
import type http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { generate } from 'selfsigned'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StreamManager } from '../../dist/index.js'
import { carrierOptions } from '../helpers/carrier.js'
import { connect } from '../helpers/client.js'
import { ask, finish } from '../helpers/requests.js'
import { serve, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let tls: { key: string; cert: string }
let server: TestServer | undefined
const clients: http2.ClientHttp2Session[] = []

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
  tls = { key, cert }
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await server?.close()
  await StreamManager.open().close()
  server = undefined
})

function client(scheme = 'http'): http2.ClientHttp2Session {
  const session = connect(`${scheme}://127.0.0.1:${server!.port}`, { rejectUnauthorized: false })
  clients.push(session)
  return session
}

describe('who answers a request', () => {
  it('is the manager while somebody listens there, and else the server, never both', async () => {
    const calls: string[] = []
    const node = http2.createServer((_request, response) => {
      calls.push('request')
      response.end('by the server')
    })
    node.on('stream', () => calls.push('stream'))
    server = await serve(node)
    const session = client()
    expect((await ask(session, '/')).text).toBe('by the server')
    expect(calls.splice(0).sort()).toEqual(['request', 'stream'])

    const listener = (stream: { end(data: string): void }): void => stream.end('by the manager')
    server.manager.on('stream', listener)
    expect((await ask(session, '/')).text).toBe('by the manager')
    expect(calls).toEqual([])

    server.manager.off('stream', listener)
    expect((await ask(session, '/')).text).toBe('by the server')
    expect(calls.length).toBe(2)
  })

  it('is the manager also when it was listened to before the server was given', async () => {
    const manager = StreamManager.open(carrierOptions)
    manager.on('stream', (stream) => stream.end('by the manager'))
    server = await serve(http2.createServer((_request, response) => response.end('by the server')))
    expect((await ask(client(), '/')).text).toBe('by the manager')
  })

  it('is nobody once the manager has closed: the request is refused, and may be tried elsewhere', async () => {
    const node = http2.createServer()
    server = await serve(node)
    server.manager.on('stream', (stream) => stream.end('x'))
    const listening = http2.createServer()
    server.manager.on('socket', () => {})
    // A connection that the manager did not place outlives it.
    const own = node.listen(0, '127.0.0.1')
    await once(own, 'listening')
    const { port } = own.address() as { port: number }
    const session = connect(`http://127.0.0.1:${port}`)
    clients.push(session)
    expect((await ask(session, '/')).text).toBe('x')
    await server.manager.close()
    expect((await ask(session, '/')).code).toBe(http2.constants.NGHTTP2_REFUSED_STREAM)
    listening.close()
  })

  it('is still one when the server is given to the next manager', async () => {
    const node = http2.createServer()
    server = await serve(node)
    server.manager.on('stream', (stream) => stream.end('by the first'))
    const { emit } = node
    await server.manager.close()
    server = await serve(node)
    server.manager.on('stream', (stream) => stream.end('by the second'))
    expect((await ask(client(), '/')).text).toBe('by the second')
    expect(node.emit).toBe(emit)
  })

  it('leaves a server alone that nobody asks for requests', async () => {
    const node = http2.createServer()
    server = await serve(node)
    expect(Object.hasOwn(node, 'emit')).toBe(false)
    server.manager.on('socket', () => {})
    expect(Object.hasOwn(node, 'emit')).toBe(false)
    server.manager.on('stream', () => {})
    expect(Object.hasOwn(node, 'emit')).toBe(true)
  })
})

describe('a request over TLS', () => {
  it('comes to the manager, and one of HTTP/1.1 to the server, on the same port', async () => {
    const node = http2.createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
      response.end(`${request.httpVersion} by the server`)
    })
    server = await serve(node)
    server.manager.on('stream', (stream, headers) => {
      stream.end(`${headers[':scheme']} by the manager`)
    })
    expect((await ask(client('https'), '/')).text).toBe('https by the manager')
    const url = `https://127.0.0.1:${server.port}`
    const request = https.get(url, { rejectUnauthorized: false, agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    const text = (await response.setEncoding('utf8').toArray()).join('')
    expect(text).toBe('1.1 by the server')
  })
})

describe('extended CONNECT', () => {
  it('comes as a request, and is a Duplex both ways', async () => {
    // A request listener alone would have node answer 405.
    const node = http2.createServer({ settings: { enableConnectProtocol: true } }, () => {})
    server = await serve(node)
    server.manager.on('stream', (stream, headers) => {
      expect(headers).toMatchObject({ ':method': 'CONNECT', ':protocol': 'websocket' })
      stream.respond({ 'x-path': headers[':path'] })
      const duplex = stream.toDuplex()
      duplex.pipe(duplex)
    })
    const session = client()
    await once(session, 'remoteSettings')
    const request = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':path': '/chat',
    })
    const answer = finish(request)
    let echoed = ''
    request.on('data', (chunk: string) => (echoed += chunk))
    request.write('ping')
    await until('it came back', () => echoed === 'ping')
    request.end('pong')
    expect(await answer).toMatchObject({ status: 200, text: 'pingpong', code: 0 })
    expect((await answer).headers['x-path']).toBe('/chat')
  })
})
