import { createHash, randomBytes } from 'node:crypto'
import http2 from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type RequestStream } from '../../dist/index.js'
import { isNative, taken } from '../helpers/carrier.js'
import { connect } from '../helpers/client.js'
import {
  ask,
  finish,
  serveRequests,
  type Handler,
  type RequestServer,
} from '../helpers/requests.js'
import { serve } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let server: RequestServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
  await StreamManager.open().close()
})

async function serving(handler: Handler): Promise<http2.ClientHttp2Session> {
  server = await serveRequests(handler)
  return server.client
}

describe('the answer to a request', () => {
  it('has the status, headers and body that were given', async () => {
    const client = await serving((stream) => {
      stream.respond({ ':status': 201, 'X-One': 'a', 'set-cookie': ['a=1', 'b=2'], 'x-two': 2 })
      stream.write('first,')
      stream.end(new Uint8Array(Buffer.from('last')))
    })
    const answer = await ask(client, '/')
    expect(answer).toMatchObject({ status: 201, text: 'first,last', code: 0 })
    expect(answer.headers).toMatchObject({
      'x-one': 'a',
      'x-two': '2',
      'set-cookie': ['a=1', 'b=2'],
    })
  })

  it('is 200 when only a body was given, or nothing', async () => {
    const client = await serving((stream, headers) =>
      headers[':path'] === '/body' ? stream.end('body') : stream.end(),
    )
    expect(await ask(client, '/body')).toMatchObject({ status: 200, text: 'body', code: 0 })
    expect(await ask(client, '/none')).toMatchObject({ status: 200, text: '', code: 0 })
  })

  it('is whole and in order, however long the pieces it is written in', async () => {
    const pieces = [randomBytes(300 << 10), randomBytes(300 << 10)]
    let handled: RequestStream | undefined
    const client = await serving((stream) => (handled = stream))
    const request = client.request({ ':path': '/' })
    const parts: Buffer[] = []
    let bytes = 0
    let wanted = 0
    request.on('data', (part: Buffer) => {
      parts.push(part)
      bytes += part.length
      if (bytes >= wanted) request.pause()
    })
    /** The server's socket has taken more than that, by a flow-control window at most. */
    const read = async (count: number): Promise<void> => {
      wanted = count
      request.resume()
      await until('it was read', () => bytes >= Math.min(count, 600 << 10))
    }
    await until('it came', () => handled)
    handled!.write(pieces[0]!)
    await read(128 << 10)
    handled!.write(pieces[1]!)
    await read(200 << 10)
    handled!.end()
    await read(Infinity)
    await until('it has ended', () => request.destroyed)
    expect(Buffer.concat(parts).equals(Buffer.concat(pieces))).toBe(true)
  })

  it('has headers that fit one block, or is refused', async () => {
    const thrown: unknown[] = []
    const client = await serving((stream) => {
      try {
        stream.respond({ 'x-large': 'x'.repeat(66_000) })
      } catch (error) {
        thrown.push(error)
      }
      stream.end('small')
    })
    expect(await ask(client, '/')).toMatchObject({ status: 200, text: 'small' })
    expect(thrown).toEqual([expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' })])
  })

  it('comes after the interim answers', async () => {
    const client = await serving((stream) => {
      stream.respondInformational({ ':status': 103, link: '</a.css>; rel=preload' })
      stream.respondInformational({ ':status': 102 })
      stream.end('done')
    })
    expect(await ask(client, '/')).toMatchObject({ informational: [103, 102], text: 'done' })
  })

  it('ends with trailers that were announced, also when there are none after all', async () => {
    const client = await serving((stream, headers) => {
      stream.respond({}, { trailers: true })
      if (headers[':path'] === '/none') stream.end('x')
      else stream.end('x', { trailers: { 'X-Sum': 'abc', etag: ['1', '2'] } })
    })
    const body = 'not read by the handler'
    for (const options of [{}, { body }]) {
      const answer = await ask(client, '/', options)
      expect(answer).toMatchObject({ text: 'x', code: 0 })
      expect(answer.trailers).toEqual({ 'x-sum': 'abc', etag: '1, 2' })
      expect(await ask(client, '/none', options)).toMatchObject({ text: 'x', code: 0 })
    }
  })

  for (const [what, status, method] of [
    ['HEAD', 200, 'HEAD'],
    ['204', 204, 'GET'],
    ['205', 205, 'GET'],
    ['304', 304, 'GET'],
  ] as const) {
    it(`has no body for ${what}, whatever the handler writes`, async () => {
      const written: boolean[] = []
      const client = await serving((stream) => {
        stream.respond({ ':status': status, 'x-kept': 'yes' })
        written.push(stream.write('not for you'))
        stream.end('nor this')
      })
      const answer = await ask(client, '/', { headers: { ':method': method } })
      expect(answer).toMatchObject({ status, text: '', code: 0 })
      expect(answer.headers['x-kept']).toBe('yes')
      expect(written).toEqual([true])
    })
  }

  it('is refused in what HTTP forbids, before anything was sent', async () => {
    const codes: unknown[] = []
    const attempt = (act: () => unknown): void => {
      try {
        act()
        codes.push('took it')
      } catch (error) {
        codes.push((error as { code?: unknown }).code)
      }
    }
    const client = await serving((stream) => {
      attempt(() => stream.respond({ ':status': 199 }))
      attempt(() => stream.respond({ ':status': 600 }))
      attempt(() => stream.respond({ ':path': '/' }))
      attempt(() => stream.respond({ connection: 'close' }))
      attempt(() => stream.respond({ 'x-a': 'b\r\nx-c: d' }))
      attempt(() => stream.respond({ 'x a': 'b' }))
      attempt(() => stream.respond({ 'content-length': ['1', '2'] }))
      attempt(() => stream.respondInformational({ ':status': 101 }))
      attempt(() => stream.respondInformational({ ':status': 200 }))
      attempt(() => stream.write(5 as never))
      attempt(() => stream.respond({}, { colour: 'red' } as object))
      stream.respond()
      attempt(() => stream.respond())
      attempt(() => stream.respondInformational({ ':status': 103 }))
      attempt(() => stream.end('', { trailers: { 'x-not': 'announced' } }))
      stream.end('answered')
      stream.end()
      attempt(() => stream.write('more'))
      attempt(() => stream.end('more'))
    })
    expect(await ask(client, '/')).toMatchObject({ status: 200, text: 'answered', code: 0 })
    const invalid = 'ERR_HOLDFAST_INVALID_ARGUMENT'
    expect(codes).toEqual([
      ...Array<string>(10).fill(invalid),
      'ERR_HOLDFAST_INVALID_OPTION',
      'ERR_HOLDFAST_HEADERS_SENT',
      'ERR_HOLDFAST_HEADERS_SENT',
      invalid,
      'ERR_HOLDFAST_STREAM_DEAD',
      'ERR_HOLDFAST_STREAM_DEAD',
    ])
  })
})

describe('the body of a request', () => {
  const body = randomBytes(3_000_000)
  const sum = createHash('sha1').update(body).digest('hex')

  it('is a web stream, whole and followed by its trailers', async () => {
    const client = await serving(async (stream) => {
      const hash = createHash('sha1')
      for await (const chunk of stream.body) hash.update(chunk)
      const trailers = await stream.trailers
      stream.end(`${hash.digest('hex')} ${JSON.stringify(trailers)}`)
    })
    const trailers = { 'x-after': 'yes' }
    expect((await ask(client, '/', { body, trailers })).text).toBe(`${sum} {"x-after":"yes"}`)
    expect((await ask(client, '/', { body })).text).toBe(`${sum} {}`)
  })

  it('can be read into memory that its reader brings', async () => {
    const client = await serving(async (stream) => {
      const reader = stream.body.getReader({ mode: 'byob' })
      const sizes: number[] = []
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(1000))
        if (done) break
        sizes.push(value.byteLength)
      }
      stream.end(String(sizes.reduce((all, size) => all + size, 0)))
    })
    expect((await ask(client, '/', { body: 'x'.repeat(5000) })).text).toBe('5000')
  })

  it('is empty where there is none', async () => {
    const client = await serving(async (stream) => {
      let size = 0
      for await (const chunk of stream.body) size += chunk.length
      stream.end(`${stream.hasBody} ${size} ${JSON.stringify(await stream.trailers)}`)
    })
    expect((await ask(client, '/')).text).toBe('false 0 {}')
  })

  it('goes through a Duplex, and the answer with it', async () => {
    const client = await serving((stream) => {
      const duplex = stream.toDuplex()
      expect(stream.toDuplex()).toBe(duplex)
      expect(() => stream.body).toThrowError(
        expect.objectContaining({ code: 'ERR_HOLDFAST_BODY_TAKEN' }),
      )
      duplex.pipe(duplex)
    })
    const text = body.toString('hex')
    const answer = await ask(client, '/', { body: text })
    expect(answer.status).toBe(200)
    expect(answer.text === text).toBe(true)
  })

  it('is asked for when the client waits for that', async () => {
    const client = await serving(async (stream) => {
      let text = ''
      for await (const chunk of stream.body) text += Buffer.from(chunk).toString()
      stream.end(text)
    })
    const request = client.request({ ':method': 'POST', expect: '100-continue' })
    let text = ''
    request.on('continue', () => request.end('now'))
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await until('it was echoed', () => text === 'now')
  })

  it('that nobody reads does not keep the stream open once it is answered', async () => {
    const client = await serving((stream) => {
      stream.end('no, thanks')
    })
    const answer = await ask(client, '/', { body })
    expect(answer).toMatchObject({ text: 'no, thanks', code: 0 })
  })

  it('that nobody reads and that never ends does not either, behind trailers', async () => {
    const client = await serving((stream) => {
      stream.respond({}, { trailers: true })
      stream.end('x', { trailers: { 'x-sum': 'abc' } })
    })
    const request = client.request({ ':method': 'POST' })
    request.on('error', () => {})
    request.write('never ended')
    const answer = await finish(request)
    expect(answer).toMatchObject({ text: 'x', trailers: { 'x-sum': 'abc' }, code: 0 })
  })

  it('can be read on behind a complete answer', async () => {
    let size = 0
    const client = await serving(async (stream) => {
      const reader = stream.body.getReader()
      size += (await reader.read()).value!.length
      stream.end('early')
      for (;;) {
        const { value } = await reader.read()
        if (!value) return
        size += value.length
      }
    })
    expect((await ask(client, '/', { body })).text).toBe('early')
    await until('it read all', () => size === body.length)
  })

  it('that was given up half-way is dropped, and the peer told to stop', async () => {
    const client = await serving(async (stream) => {
      const reader = stream.body.getReader()
      await reader.read()
      await reader.cancel()
      stream.respond({}, { trailers: true })
      stream.end('enough', { trailers: { 'x-sum': 'abc' } })
    })
    const request = client.request({ ':method': 'POST' })
    request.on('error', () => {})
    // It never ends its side by itself.
    request.write(body)
    const answer = await finish(request)
    expect(answer).toMatchObject({ text: 'enough', trailers: { 'x-sum': 'abc' }, code: 0 })
  })
})

describe('a request as a stream under management', () => {
  it('costs the registry nothing until its uid is asked for', async () => {
    const client = await serving((stream) => stream.end('x'))
    const before = server!.manager.stats().totalStreamsCreated
    await ask(client, '/')
    expect(server!.manager.stats().totalStreamsCreated).toBe(before)
  })

  it('is reached by uid, and told of its end once', async () => {
    const closes: unknown[] = []
    let request: RequestStream | undefined
    const client = await serving((stream) => {
      stream.respond({ 'content-type': 'text/plain' })
      request = stream
      stream.on('close', (close) => closes.push(close))
    })
    const answer = ask(client, '/')
    await until('it came', () => request)
    const { manager } = server!
    const { uid } = request!
    expect(manager.get(uid)).toBe(request)
    expect(manager.send(uid, 'by uid, ')).toBe(taken)
    request!.write('by hand, ')
    expect(manager.send(uid, 'by uid')).toBe(taken)
    expect(manager.close(uid)).toBe(true)
    expect((await answer).text).toBe('by uid, by hand, by uid')
    await until('it closed', () => closes.length > 0)
    expect(closes).toEqual([{ reason: 'close', code: 0, text: '' }])
    expect(request!.live).toBe(false)
    expect(manager.send(uid, 'late')).toBe('gone')
  })

  it('that was ended before anything knew of it is gone for whoever asks', async () => {
    const closes: unknown[] = []
    const client = await serving((stream) => {
      stream.end('x')
      expect(stream.send('late')).toBe('gone')
      expect(stream.subscribe('t')).toBe(false)
      expect(stream.detach().detached).toBe(false)
      stream.on('slow', () => {})
      stream.on('close', (close) => closes.push(close))
      expect(stream.close()).toBe(false)
    })
    expect(await ask(client, '/')).toMatchObject({ text: 'x', code: 0 })
    await until('it is over', () => closes.length > 0)
    expect(closes).toEqual([{ reason: 'end', code: 0, text: '' }])
  })

  it('whose answer has no body is answered as a Duplex as well', async () => {
    const finished: unknown[] = []
    const client = await serving((stream, headers) => {
      if (headers[':path'] === '/204') stream.respond({ ':status': 204 })
      const duplex = stream.toDuplex().resume()
      duplex.on('error', (error) => finished.push(error))
      duplex.on('finish', () => finished.push(headers[':path']))
      duplex.write('nobody ')
      duplex.end('reads it')
    })
    expect(await ask(client, '/204')).toMatchObject({ status: 204, text: '', code: 0 })
    const head = await ask(client, '/head', { headers: { ':method': 'HEAD' } })
    expect(head).toMatchObject({ status: 200, text: '', code: 0 })
    await until('both are finished', () => finished.length >= 2)
    expect(finished).toEqual(['/204', '/head'])
  })

  it('whose answer has no body took no message', async () => {
    let code: unknown
    const client = await serving(async (stream) => {
      const { manager } = server!
      const waiting = manager.sendAndWait(stream.uid, 'x').catch((error: unknown) => error)
      if (isNative) await until('it is there', () => manager.find(stream.uid)?.queuedBytes === 1)
      if (isNative) stream.respond({ ':status': 204 })
      else stream.reset(http2.constants.NGHTTP2_CANCEL)
      code = ((await waiting) as { code?: unknown } | undefined)?.code
    })
    await ask(client, '/')
    await until('it is settled', () => code)
    expect(code).toBe('ERR_HOLDFAST_GONE')
  })

  it('becomes an event stream, the same object', async () => {
    let request: RequestStream | undefined
    const client = await serving((stream) => {
      request = stream
      expect(server!.manager.sse(stream, { tags: ['feed'] }).detach()).toBe(stream)
      stream.send('hello', { event: 'greeting' })
      stream.close()
    })
    const answer = await ask(client, '/')
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(answer.text).toBe('event: greeting\ndata: hello\n\n')
    expect(request!.kind).toBe('sse')
  })

  it('becomes an event stream that ends at once where the method is HEAD', async () => {
    const client = await serving((stream) => {
      expect(server!.manager.sse(stream).send('not for you')).toBe('gone')
    })
    const answer = await ask(client, '/', { headers: { ':method': 'HEAD' } })
    expect(answer).toMatchObject({ status: 200, text: '', code: 0 })
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    await until('it is gone', () => server!.manager.stats().activeSseStreams === 0)
  })

  it('closed by uid before it was answered is answered 503', async () => {
    const client = await serving((stream) => server!.manager.close(stream.uid))
    expect(await ask(client, '/')).toMatchObject({ status: 503, code: 0 })
  })

  it('registered as a node:http2 stream has the same class', async () => {
    const plain = http2.createServer()
    plain.on('stream', (stream) => {
      const managed = StreamManager.open().register(stream)
      managed.respond({ 'x-class': managed.constructor.name })
      managed.end('yes')
    })
    const plainServer = await serve(plain)
    const client = connect(plainServer.url)
    const answer = await ask(client, '/')
    expect(answer.headers['x-class']).toBe('RequestStream')
    expect(answer.text).toBe('yes')
    client.destroy()
    await plainServer.close()
  })
})
