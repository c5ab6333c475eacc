import { once } from 'node:events'
import http2 from 'node:http2'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { afterEach, describe, expect, it } from 'vitest'
import {
  fetchListener,
  formatUid,
  parseUid,
  StreamManager,
  type FetchHandler,
  type RequestStream,
  type StreamUid,
} from '../../dist/index.js'
import { taken } from '../helpers/carrier.js'
import { ask, begin, finish, serveRequests, type RequestServer } from '../helpers/requests.js'
import { collectUncaught } from '../helpers/uncaught.js'
import { until } from '../helpers/wait.js'

let server: RequestServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
  await StreamManager.open().close()
})

async function serving(handler: FetchHandler): Promise<http2.ClientHttp2Session> {
  server = await serveRequests(fetchListener(handler))
  return server.client
}

describe('a fetch handler', () => {
  it('is given the request as it came', async () => {
    const client = await serving(async (request) => {
      const { method, url, body } = request
      const headers = Object.fromEntries(request.headers)
      return Response.json({ method, url, headers, body: body && (await request.text()) })
    })
    const headers = { 'x-list': ['a', 'b'], cookie: ['c=1', 'd=2'] }
    const get = await ask(client, '/a%20b?c=d', { headers })
    expect(JSON.parse(get.text)).toEqual({
      method: 'GET',
      url: `${server!.url}/a%20b?c=d`,
      headers: { 'x-list': 'a, b', cookie: 'c=1; d=2' },
      body: null,
    })
    const post = await ask(client, '/', { body: 'something' })
    expect(JSON.parse(post.text)).toMatchObject({ method: 'POST', body: 'something' })
    const empty = await ask(client, '/', { headers: { ':method': 'DELETE' } })
    expect(JSON.parse(empty.text)).toMatchObject({ method: 'DELETE', body: null })
  })

  it('answers with status, headers, cookies and body', async () => {
    const client = await serving(() => {
      const headers = new Headers({ 'x-one': 'ü', connection: 'keep-alive' })
      headers.append('transfer-encoding', 'chunked')
      headers.append('set-cookie', 'a=1; expires=Wed, 21 Oct 2015 07:28:00 GMT')
      headers.append('set-cookie', 'b=2')
      return new Response('done', { status: 418, headers })
    })
    const answer = await ask(client, '/')
    expect(answer).toMatchObject({ status: 418, text: 'done', code: 0 })
    expect(answer.headers).toMatchObject({
      'x-one': 'ü',
      'set-cookie': ['a=1; expires=Wed, 21 Oct 2015 07:28:00 GMT', 'b=2'],
    })
    expect(answer.headers.connection).toBeUndefined()
  })

  it('answers HEAD, 204 and 304 without a body, and lets go of what it made', async () => {
    const cancelled: string[] = []
    const client = await serving((request) => {
      const { pathname } = new URL(request.url)
      if (pathname !== '/') return new Response(null, { status: Number(pathname.slice(1)) })
      const body = new ReadableStream({ cancel: () => void cancelled.push(request.method) })
      return new Response(body, { headers: { 'content-length': '7' } })
    })
    const head = await ask(client, '/', { headers: { ':method': 'HEAD' } })
    expect(head).toMatchObject({ status: 200, text: '', code: 0 })
    expect(head.headers['content-length']).toBe('7')
    expect(cancelled).toEqual(['HEAD'])
    expect(await ask(client, '/204')).toMatchObject({ status: 204, text: '', code: 0 })
    expect(await ask(client, '/304')).toMatchObject({ status: 304, text: '', code: 0 })
  })

  it('sends each piece of its answer when it is there', async () => {
    let next: ReadableStreamDefaultController<Uint8Array> | undefined
    const client = await serving(
      () => new Response(new ReadableStream({ start: (controller) => void (next = controller) })),
    )
    const request = begin(client, '/')
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await once(request, 'response')
    for (const piece of ['one,', 'two,', 'three']) {
      next!.enqueue(Buffer.from(piece))
      await until('the piece came', () => text.endsWith(piece))
    }
    next!.close()
    await until('it ended', () => request.destroyed)
    expect(text).toBe('one,two,three')
  })

  it('that does not read the body, or not to its end, answers all the same', async () => {
    const client = await serving(async (request) => {
      if (request.url.endsWith('/some')) {
        const reader = request.body!.getReader()
        await reader.read()
        reader.releaseLock()
      }
      return new Response('enough')
    })
    const body = Buffer.alloc(2_000_000)
    expect(await ask(client, '/none', { body })).toMatchObject({ text: 'enough', code: 0 })
    expect(await ask(client, '/some', { body })).toMatchObject({ text: 'enough', code: 0 })
  })

  it('may go on reading behind its answer', async () => {
    let size = 0
    const client = await serving(async (request) => {
      const reader = request.body!.getReader()
      size += (await reader.read()).value!.length
      void (async () => {
        for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
          size += piece.value.length
        }
      })()
      return new Response('early')
    })
    const body = Buffer.alloc(2_000_000)
    expect((await ask(client, '/', { body })).text).toBe('early')
    await until('it read all', () => size === body.length)
  })

  it('may answer by the stream itself', async () => {
    let stream: RequestStream | undefined
    const client = await serving((_request, info) => {
      stream = info.stream
      server!.manager.sse(info.stream).detach()
      return undefined
    })
    const answer = ask(client, '/')
    await until('it is held', () => stream?.detached)
    stream!.send('from anywhere')
    stream!.close()
    expect((await answer).text).toBe('data: from anywhere\n\n')
  })

  it('that returns no Response answers 500, and is reported', async () => {
    const uncaught = collectUncaught()
    const client = await serving(() => 'text' as unknown as Response)
    expect(await ask(client, '/')).toMatchObject({ status: 500, code: 0 })
    expect(uncaught.messages).toEqual(['the fetch handler returned no Response'])
    uncaught.stop()
  })

  it('is not asked for what fetch has no request for', async () => {
    let asked = 0
    const client = await serving(() => {
      asked++
      return new Response()
    })
    for (const [headers, status] of [
      [{ ':method': 'TRACE' }, 501],
      [{ ':method': 'CONNECT', ':authority': 'example.org:443' }, 501],
      [{ ':method': 'OPTIONS', ':path': '*' }, 400],
      [{ ':authority': 'user@127.0.0.2' }, 400],
    ] as const) {
      const request = client.request(headers, { endStream: true })
      request.on('error', () => {})
      const { status: answered, code } = await finish(request)
      // Later versions of nghttp2 refuse some of them by themselves.
      if (code !== http2.constants.NGHTTP2_PROTOCOL_ERROR) expect(answered).toBe(status)
    }
    expect(asked).toBe(0)
  })
})

describe('an answer that is closed by uid in the middle', () => {
  for (const pulled of [true, false]) {
    it(`has its source cancelled, which is ${pulled ? 'quick' : 'silent'}`, async () => {
      let uid: StreamUid | undefined
      let pulls = 0
      let cancelled = false
      const client = await serving((_request, { stream }) => {
        uid = stream.uid
        const block = new Uint8Array(16 << 10)
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(block),
          pull(controller) {
            if (!pulled) return new Promise(() => {})
            // Else a writer that nothing stops would stop this thread.
            if (++pulls > 10_000) throw new Error('it goes on and on')
            controller.enqueue(block)
          },
          cancel: () => void (cancelled = true),
        })
        return new Response(body)
      })
      const request = begin(client, '/')
      await once(request, 'response')
      expect(server!.manager.close(uid!)).toBe(true)
      request.resume()
      await until('it was cancelled', () => cancelled)
      expect(pulls).toBeLessThan(10_000)
    })
  }
})

it('a request that fetch has none for is over with its answer, whatever more it would send', async () => {
  const client = await serving(() => new Response())
  const request = client.request(
    { ':method': 'POST', ':authority': 'user@127.0.0.2' },
    { endStream: false },
  )
  request.on('error', () => {})
  request.write('the first of much')
  const { status, code } = await finish(request)
  if (code !== http2.constants.NGHTTP2_PROTOCOL_ERROR)
    expect({ status, code }).toEqual({ status: 400, code: 0 })
})

describe('an application of Hono', () => {
  it('runs as it is', async () => {
    type Env = { Bindings: { stream: RequestStream } }
    const app = new Hono<Env>()
    app.use(async (c, next) => {
      await next()
      c.header('x-by', 'hono')
    })
    app.get('/hello/:name', (c) => c.text(`hello ${c.req.param('name')}`))
    app.post('/json', async (c) => c.json({ got: await c.req.json<unknown>() }))
    app.post('/form', async (c) => {
      const form = await c.req.parseBody()
      return c.text(`${(form['file'] as File).size} ${form['name'] as string}`)
    })
    app.post('/echo', (c) => new Response(c.req.raw.body))
    app.get('/count', (c) =>
      streamSSE(c, async (events) => {
        for (let i = 0; i < 3; i++) await events.writeSSE({ data: String(i), id: String(i) })
      }),
    )
    app.get('/held', (c) => {
      const { stream } = c.env
      server!.manager.sse(stream).detach().send(formatUid(stream.uid), { event: 'uid' })
      return c.body(null)
    })
    app.get('/fails', () => {
      throw new Error('no')
    })
    app.onError((error, c) => c.text(error.message, 503))
    server = await serveRequests(fetchListener(app.fetch))
    const { client, manager } = server

    const hello = await ask(client, '/hello/you')
    expect(hello).toMatchObject({ status: 200, text: 'hello you', code: 0 })
    expect(hello.headers['x-by']).toBe('hono')
    const json = await ask(client, '/json', { body: '{"a":[1]}' })
    expect(json.text).toBe('{"got":{"a":[1]}}')
    const form = new FormData()
    form.set('name', 'value')
    form.set('file', new Blob([Buffer.alloc(100_000)]), 'file.bin')
    const encoded = new Response(form)
    const formAnswer = await ask(client, '/form', {
      headers: { 'content-type': encoded.headers.get('content-type')! },
      body: Buffer.from(await encoded.arrayBuffer()),
    })
    expect(formAnswer.text).toBe('100000 value')
    const large = 'x'.repeat(1_000_000)
    expect((await ask(client, '/echo', { body: large })).text === large).toBe(true)
    expect((await ask(client, '/count')).text).toBe(
      'data: 0\nid: 0\n\ndata: 1\nid: 1\n\ndata: 2\nid: 2\n\n',
    )
    expect(await ask(client, '/fails')).toMatchObject({ status: 503, text: 'no' })
    expect((await ask(client, '/none')).status).toBe(404)
    const headed = await ask(client, '/hello/you', { headers: { ':method': 'HEAD' } })
    expect(headed).toMatchObject({ status: 200, text: '', code: 0 })

    const held = begin(client, '/held')
    let text = ''
    held.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await until('its uid came', () => text.includes('\n\n'))
    const uid = parseUid(/data: (\w+)/.exec(text)![1]!)
    expect(manager.send(uid, 'by uid')).toBe(taken)
    await until('it came', () => text.endsWith('data: by uid\n\n'))
    manager.close(uid)
    await until('it ended', () => held.destroyed)
  })
})
