import { once } from 'node:events'
import type http2 from 'node:http2'
import http from 'node:http'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager } from '../../dist/index.js'
import { isNative } from '../helpers/carrier.js'
import { ask, serveRequests, type RequestServer } from '../helpers/requests.js'
import { serve } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

const kPath = '/health'
let server: RequestServer | undefined
let asked: string[] = []

afterEach(async () => {
  server?.manager.respondStatic(kPath, null)
  await server?.close()
  server = undefined
  asked = []
  await StreamManager.open().close()
})

async function serving(): Promise<http2.ClientHttp2Session> {
  server = await serveRequests((stream, headers) => {
    asked.push(String(headers[':path']))
    stream.end('by the handler')
  })
  return server.client
}

describe('a static answer', () => {
  it('is given to GET and HEAD of its path, whatever the query, and no handler is asked', async () => {
    const client = await serving()
    const headers = { ':status': 203, 'Content-Type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] }
    server!.manager.respondStatic(kPath, headers, 'all is well')
    const before = server!.manager.stats().staticAnswers
    for (const path of [kPath, `${kPath}?deep=1`]) {
      const answer = await ask(client, path)
      expect(answer).toMatchObject({ status: 203, text: 'all is well', code: 0 })
      expect(answer.headers).toMatchObject({
        'content-type': 'text/plain',
        'content-length': '11',
        'set-cookie': ['a=1', 'b=2'],
      })
      expect(Math.abs(Date.now() - Date.parse(answer.headers.date!))).toBeLessThan(60_000)
    }
    const head = await ask(client, kPath, { headers: { ':method': 'HEAD' } })
    expect(head).toMatchObject({ status: 203, text: '', code: 0 })
    expect(head.headers['content-length']).toBe('11')
    expect(asked).toEqual([])
    await until('it is counted', () => server!.manager.stats().staticAnswers === before + 3)
    expect((await ask(client, kPath, { body: 'x' })).text).toBe('by the handler')
    expect((await ask(client, `${kPath}/more`)).text).toBe('by the handler')
    expect(asked).toEqual([kPath, `${kPath}/more`])
  })

  it('of a whole mebibyte arrives as it is, many at once', async () => {
    const client = await serving()
    const payload = Buffer.alloc(1 << 20, 'payload ')
    server!.manager.respondStatic(kPath, {}, payload)
    // More than a reactor lets wait of one connection's own answers; a session of node's refuses streams sooner.
    const answers = await Promise.all(
      Array.from({ length: isNative ? 70 : 5 }, () => ask(client, kPath)),
    )
    for (const { status, text } of answers) {
      expect(status).toBe(200)
      expect(text === payload.toString()).toBe(true)
    }
  })

  it('can be empty, be replaced, and be taken away', async () => {
    const client = await serving()
    const { manager } = server!
    manager.respondStatic(kPath, { ':status': 204 })
    const empty = await ask(client, kPath)
    expect(empty).toMatchObject({ status: 204, text: '', code: 0 })
    expect(empty.headers['content-length']).toBeUndefined()
    manager.respondStatic(kPath, {}, new Uint8Array([104, 105]))
    expect(await ask(client, kPath)).toMatchObject({ status: 200, text: 'hi' })
    manager.respondStatic(kPath, {})
    expect((await ask(client, kPath)).headers['content-length']).toBe('0')
    manager.respondStatic(kPath, null)
    expect((await ask(client, kPath)).text).toBe('by the handler')
  })

  it('can be given and taken away by any thread', async () => {
    const client = await serving()
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads')
      import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}).then(
        async ({ StreamManager }) => {
          const manager = StreamManager.open()
          manager.respondStatic('${kPath}', {}, 'by another thread')
          await manager.close()
          parentPort.postMessage('done')
        })`,
      { eval: true },
    )
    await once(worker, 'message')
    expect((await ask(client, kPath)).text).toBe('by another thread')
  })

  it('is given over HTTP/1.1, too', async () => {
    const test = await serve(http.createServer())
    test.manager.on('stream', (stream) => stream.end('by the handler'))
    test.manager.respondStatic(kPath, { 'x-one': '1' }, 'all is well')
    const answer = await fetch(test.url + kPath)
    expect(answer.headers.get('x-one')).toBe('1')
    expect(await answer.text()).toBe('all is well')
    test.manager.respondStatic(kPath, null)
    expect(await (await fetch(test.url + kPath)).text()).toBe('by the handler')
    await test.close()
  })

  it('is refused where it could not be given', async () => {
    await serving()
    const { manager } = server!
    const invalid: unknown = expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' })
    for (const path of ['health', '/a?b', '/a b', '/a#b', '/\u00e9', 5 as never]) {
      expect(() => manager.respondStatic(path, {}, 'x')).toThrow(invalid)
    }
    for (const headers of [
      { ':status': 100 },
      { 'x y': '1' },
      { x: 'a\nb' },
      { connection: 'close' },
    ]) {
      expect(() => manager.respondStatic(kPath, headers, 'x')).toThrow(invalid)
    }
    expect(() => manager.respondStatic(kPath, { ':status': 204 }, 'x')).toThrow(invalid)
    expect(() => manager.respondStatic(kPath, {}, Buffer.alloc((1 << 20) + 1))).toThrow(invalid)
    expect((await ask(server!.client, kPath)).text).toBe('by the handler')
  })
})
