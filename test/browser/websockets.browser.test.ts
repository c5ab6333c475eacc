import { once } from 'node:events'
import http2, { type Http2ServerResponse } from 'node:http2'
import https from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'puppeteer-core'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import {
  StreamManager,
  type ManagedStream,
  type StreamClose,
  type WebSocketStream,
} from '../../dist/index.js'
import { eachBrowser } from '../helpers/browsers.js'
import { carrierOptions } from '../helpers/carrier.js'
import { readText } from '../helpers/repository.js'
import { serve } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

interface Held {
  /** What asked for it. */
  readonly by: 'GET' | 'extended CONNECT' | 'Upgrade'
  readonly stream: ManagedStream
  readonly said: string[]
  readonly closes: StreamClose[]
}

/** On the page's own origin, to which it has a session. */
const warm = ['warm 1', 'warm 2', 'warm 3']
/** To the same server under another name, and so another origin, to which it has none. */
const cold = 'cold'
/** To a server that has no HTTP/2. */
const old = 'old'

/** A page with an event stream and WebSockets; what holds each, by its name. */
async function servePage() {
  const held = new Map<string, Held>()
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
  const settings = { enableConnectProtocol: true }
  const server = http2.createSecureServer({ cert, key, allowHTTP1: true, settings })
  const oldServer = https.createServer({ cert, key }).listen(0, '127.0.0.1')
  await once(oldServer, 'listening')
  const hold = (name: string, by: Held['by'], stream: ManagedStream): void => {
    const closes: StreamClose[] = []
    held.set(name, { by, stream, said: [], closes })
    stream.subscribe('all')
    stream.on('close', (close) => closes.push(close))
  }
  const holdSocket = (path: string, by: Held['by'], socket: WebSocketStream | undefined): void => {
    if (!socket) return
    const name = decodeURIComponent(path.slice(1))
    hold(name, by, socket)
    const { said } = held.get(name)!
    socket.on('message', (data) =>
      said.push(typeof data === 'string' ? data : `${data.length} bytes`),
    )
  }
  const manager = StreamManager.open(carrierOptions)
  const options = { protocols: ['test'] }
  server.on('request', (request, response: Http2ServerResponse) => {
    if (request.url === '/events') {
      hold('events', 'GET', manager.sse(response))
      // Firefox takes an event stream for open when its first bytes have come.
      held.get('events')!.stream.send('hello')
      return
    }
    const isScript = request.url === '/sockets.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(
      isScript
        ? readText('test/browser/fixtures/sockets.js')
        : '<!doctype html><title>sockets</title><script src="/sockets.js"></script>',
    )
  })
  server.on('stream', (stream, headers) => {
    if (headers[':protocol'] === undefined) return
    const socket = manager.websocket(stream, headers, options)
    holdSocket(headers[':path'] ?? '', 'extended CONNECT', socket)
  })
  const onUpgrade = (request: IncomingMessage, _: unknown, head: Buffer): void => {
    holdSocket(request.url ?? '', 'Upgrade', manager.websocket(request, head, options))
  }
  server.on('upgrade', onUpgrade)
  oldServer.on('upgrade', onUpgrade)
  const { port } = await serve(server)
  return { manager, held, port, oldServer, oldPort: (oldServer.address() as AddressInfo).port }
}

eachBrowser(({ launch, coldWebSocket }) => {
  let browser: Browser
  beforeAll(async () => void (browser = await launch()))
  afterAll(() => browser?.close())
  afterEach(() => StreamManager.open().close())

  it('opens WebSockets over HTTP/2 and HTTP/1.1, and all are held, reached and closed alike', async () => {
    const { manager, held, port, oldServer, oldPort } = await servePage()
    const page = await browser.newPage()
    await page.goto(`https://127.0.0.1:${port}/`)
    await page.evaluate(`openEvents('events')`)
    const open = (name: string, to: string) => page.evaluate(`openSocket('${name}', 'wss://${to}')`)
    for (const name of warm) await open(name, `127.0.0.1:${port}`)
    await open(cold, `localhost:${port}`)
    await open(old, `127.0.0.1:${oldPort}`)
    const by = Object.fromEntries([...held].map(([name, one]) => [name, one.by]))
    expect(by).toEqual({
      events: 'GET',
      ...Object.fromEntries(warm.map((name) => [name, 'extended CONNECT'])),
      [cold]: coldWebSocket,
      [old]: 'Upgrade',
    })

    // On the connection of the event stream those of its origin, each of the others on its own.
    const find = (name: string) => manager.find(held.get(name)!.stream.uid)!
    expect([...manager.streams({ kind: 'websocket' })]).toHaveLength(5)
    expect([...manager.streams({ kind: 'sse' })]).toHaveLength(1)
    for (const name of warm) expect(find(name).port).toBe(find('events').port)
    expect(new Set(['events', cold, old].map((name) => find(name).port)).size).toBe(3)

    for (const [name, { stream }] of held) expect(manager.send(stream.uid, name)).toBe('sent')
    expect(manager.publish('all', 'to all')).toBe(6)
    const expected = Object.fromEntries([...held.keys()].map((name) => [name, [name, 'to all']]))
    expected['events']!.unshift('hello')
    await hears(page, expected)
    const first = held.get(warm[0]!)!.stream
    first.send(Buffer.alloc(70_000))
    await hears(page, { ...expected, [warm[0]!]: [...expected[warm[0]!]!, '70000 bytes'] })

    await page.evaluate(`say('from the page')`)
    for (const name of [...warm, cold, old]) {
      await until(`${name} said both`, () => held.get(name)!.said.length === 2)
      expect(held.get(name)!.said).toEqual(['from the page', '70000 bytes'])
    }

    // Closed by the page, by the server, and with the page.
    for (const name of [warm[0]!, cold]) {
      await page.evaluate(`closeSocket('${name}', 4001, 'enough')`)
      await until(`${name} closed`, () => held.get(name)!.closes.length === 1)
      expect(held.get(name)!.closes).toEqual([{ reason: 'end', code: 4001, text: 'enough' }])
    }
    for (const name of [warm[1]!, old]) {
      manager.close(held.get(name)!.stream.uid, { code: 4002, reason: 'over' })
      const told = () => page.evaluate(`closes['${name}']`)
      await until(`${name} was told`, told)
      expect(await told()).toEqual({ code: 4002, reason: 'over', wasClean: true })
      await until(`${name} is closed`, () => held.get(name)!.closes.length === 1)
    }
    await page.close()
    await until('nothing is left', () => manager.stats().activeStreams === 0)
    const last = held.get(warm[2]!)!.closes
    expect(last).toHaveLength(1)
    expect([1001, 1006]).toContain(last[0]!.code)
    oldServer.close()
  })
})

async function hears(page: Page, expected: Record<string, string[]>): Promise<void> {
  const count = Object.values(expected).flat().length
  await until('the page heard all', async () => {
    return (await page.evaluate('Object.values(heard).flat().length')) === count
  })
  expect(await page.evaluate('heard')).toEqual(expected)
}
