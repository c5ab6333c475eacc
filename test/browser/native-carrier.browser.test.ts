// A browser and the native carrier, on one port over TLS: the page, its event stream and its WebSocket are a
// reactor's; a WebSocket that a browser opens by HTTP/1.1 is the accepted server's.
import https from 'node:https'
import type { Browser } from 'puppeteer-core'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { StreamManager, type ManagedStream } from '../../dist/index.js'
import { eachBrowser } from '../helpers/browsers.js'
import { readText } from '../helpers/repository.js'
import { until } from '../helpers/wait.js'

const page = '<!doctype html><title>sockets</title><script src="/sockets.js"></script>'

/** What it holds, by the name on the page. */
async function servePage() {
  const held = new Map<string, ManagedStream>()
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
  const manager = StreamManager.open()
  const options = { protocols: ['test'] }
  const hold = (path: string, stream: ManagedStream | undefined): void => {
    if (stream) held.set(path.slice(1), stream)
  }
  manager.on('stream', (stream, headers) => {
    const path = headers[':path']!
    if (headers[':protocol']) return hold(path, manager.websocket(stream, headers, options))
    if (path === '/events') {
      hold(path, manager.sse(stream).detach())
      // Firefox takes an event stream for open when its first bytes have come.
      held.get('events')!.send('hello')
      return
    }
    const isScript = path === '/sockets.js'
    stream.respond({ 'content-type': isScript ? 'text/javascript' : 'text/html' })
    stream.end(isScript ? readText('test/browser/fixtures/sockets.js') : page)
  })
  const server = https.createServer({ cert, key })
  server.on('upgrade', (request, _, head: Buffer) =>
    hold(request.url!, manager.websocket(request, head, options)),
  )
  manager.accept(server)
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1', tls: { cert, key } })
  return { manager, held, port }
}

eachBrowser(({ launch, coldWebSocket }) => {
  let browser: Browser
  beforeAll(async () => void (browser = await launch()))
  afterAll(() => browser?.close())
  afterEach(() => StreamManager.open().close())

  it('is served by a reactor, and reached by uid and by what it opened', async () => {
    const { manager, held, port } = await servePage()
    const tab = await browser.newPage()
    await tab.goto(`https://127.0.0.1:${port}/`)
    expect(await tab.evaluate('performance.getEntries()[0].nextHopProtocol')).toBe('h2')
    await tab.evaluate(`openEvents('events')`)
    await tab.evaluate(`openSocket('warm', 'wss://127.0.0.1:${port}')`)
    await tab.evaluate(`openSocket('cold', 'wss://localhost:${port}')`)

    const kinds = new Map(manager.workers().map(({ id, kind }) => [id, kind]))
    const holders = [...held].map(([name, { uid }]) => [name, kinds.get(manager.find(uid)!.worker)])
    expect(Object.fromEntries(holders)).toEqual({
      events: 'reactor',
      warm: 'reactor',
      cold: coldWebSocket === 'Upgrade' ? 'thread' : 'reactor',
    })

    const expected: Record<string, string[]> = { events: ['hello'], warm: [], cold: [] }
    for (const [name, { uid }] of held) {
      expect(['sent', 'queued']).toContain(manager.send(uid, `to ${name}`))
      expected[name]!.push(`to ${name}`)
    }
    await until('the page heard all', async () => {
      return (await tab.evaluate('Object.values(heard).flat().length')) === 4
    })
    expect(await tab.evaluate('heard')).toEqual(expected)
    await tab.close()
    await until('nothing is left', () => manager.stats().activeStreams === 0)
  })
})
