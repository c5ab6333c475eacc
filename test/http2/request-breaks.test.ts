import http2 from 'node:http2'
import { pipeline } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchListener, StreamManager, type RequestStream } from '../../dist/index.js'
import { taken } from '../helpers/carrier.js'
import {
  ask,
  outside,
  serveRequests,
  type Handler,
  type RequestServer,
} from '../helpers/requests.js'
import { frame, RawClient } from '../helpers/raw-http2.js'
import { collectUncaught, type UncaughtErrors } from '../helpers/uncaught.js'
import { until } from '../helpers/wait.js'

let server: RequestServer | undefined
let uncaught: UncaughtErrors

beforeEach(() => {
  uncaught = collectUncaught()
})

afterEach(async () => {
  await server?.close()
  server = undefined
  await StreamManager.open().close()
  uncaught.stop()
})

async function serving(handler: Handler): Promise<http2.ClientHttp2Session> {
  server = await serveRequests(handler)
  return server.client
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants

/** How a client with a stream 1 may go; what node's client does ends the body first. */
const departures: Record<string, (client: RawClient) => void> = {
  'resets with CANCEL': (client) => reset(client, NGHTTP2_CANCEL),
  'resets with an error': (client) => reset(client, NGHTTP2_INTERNAL_ERROR),
  'resets with NO_ERROR': (client) => reset(client, NGHTTP2_NO_ERROR),
  'drops its connection': (client) => client.socket.resetAndDestroy(),
  'ends its connection': (client) => client.socket.end(),
}

function reset(client: RawClient, code: number): void {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(code)
  client.send(frame.rstStream, 0, 1, body)
}

/** Sends half a body, and goes when the first of an answer has come. */
async function leaveMidBody(handler: Handler, leave: (client: RawClient) => void): Promise<void> {
  await serving(handler)
  const client = await RawClient.connect(server!.port, false)
  client.post(1, '/')
  client.send(frame.data, 0, 1, Buffer.from('half of it'))
  await until('it was answered', () => client.received(frame.headers, 1).length > 0)
  leave(client)
}

describe('a client that goes in the middle of its body', () => {
  for (const [how, leave] of Object.entries(departures)) {
    it(`and ${how} breaks off what waits for it, and is nobody's uncaught error`, async () => {
      const codes: unknown[] = []
      let stream: RequestStream | undefined
      await leaveMidBody(async (request) => {
        stream = request
        const reader = request.body.getReader()
        const first = await reader.read()
        request.write(first.value!)
        const fails = [reader.read(), request.trailers].map((promise) =>
          promise.catch((error: unknown) => codes.push((error as { code: unknown }).code)),
        )
        await Promise.all(fails)
        expect(await request.drained()).toBe(false)
        expect(request.write('nobody there')).toBe(false)
        request.end()
        codes.push((request.signal.reason as { code: unknown }).code)
        // A handler that lets the error through.
        await reader.read()
      }, leave)
      await until('it was told', () => codes.length === 3)
      expect(codes).toEqual(Array(3).fill('ERR_HOLDFAST_ABORTED'))
      expect(stream!.signal.aborted).toBe(true)
      expect(() => stream!.uid).toThrowError(
        expect.objectContaining({ code: 'ERR_HOLDFAST_STREAM_DEAD' }),
      )
      expect(stream!.send('x')).toBe('gone')
      expect(stream!.close()).toBe(false)
      await afterwards()
      expect(uncaught.messages).toEqual([])
    })
  }

  it('ends a pipeline through its Duplex', async () => {
    let ended: unknown
    await leaveMidBody(async (stream) => {
      const duplex = stream.toDuplex()
      stream.respond()
      await pipeline(duplex, new PassThrough(), duplex).catch((error: unknown) => (ended = error))
    }, departures['resets with CANCEL']!)
    await until('it ended', () => ended)
    expect(ended).toMatchObject({ code: 'ERR_HOLDFAST_ABORTED' })
    await afterwards()
    expect(uncaught.messages).toEqual([])
  })

  it('is no uncaught error of a Duplex that nobody listens to', async () => {
    let stream: RequestStream | undefined
    await leaveMidBody((request) => {
      stream = request
      request.toDuplex()
      request.respond()
    }, departures['resets with CANCEL']!)
    await until('it closed', () => stream!.toDuplex().destroyed)
    await afterwards()
    expect(uncaught.messages).toEqual([])
  })
})

describe('a client that goes before it was answered', () => {
  it('lets a late answer, and a late use of the stream, do nothing', async () => {
    let go = (): void => {}
    const gone = new Promise<void>((resolve) => (go = resolve))
    const closes: unknown[] = []
    const client = await serving(async (stream) => {
      await gone
      stream.on('close', ({ reason }) => closes.push(reason))
      stream.respond({ ':status': 200 })
      stream.write('x')
      stream.end('y')
      // The stream is dead: refused, and no error of the handler's.
      server!.manager.sse(stream)
    })
    const request = client.request({ ':path': '/' })
    request.on('error', () => {})
    await new Promise<void>((resolve) => client.ping(() => resolve()))
    await outside()
    request.close(NGHTTP2_CANCEL)
    await new Promise<void>((resolve) => client.ping(() => resolve()))
    go()
    await until('it was told of the close', () => closes.length > 0)
    expect(closes).toEqual(['abort'])
    await afterwards()
    expect(uncaught.messages).toEqual([])
  })

  it('is reported all the same what its handler does wrong then', async () => {
    await leaveMidBody(async (stream) => {
      stream.respond()
      const { signal } = stream
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new TypeError('a mistake')
    }, departures['resets with CANCEL']!)
    await until('it was reported', () => uncaught.messages.length > 0)
    expect(uncaught.messages).toEqual(['a mistake'])
  })

  it('cancels what a fetch handler streams to it', async () => {
    const cancelled: unknown[] = []
    const aborted: unknown[] = []
    const client = await serving(
      fetchListener((request) => {
        request.signal.addEventListener('abort', () => aborted.push(request.signal.reason))
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(Buffer.from('first')),
          cancel: (reason) => void cancelled.push(reason),
        })
        return new Response(body)
      }),
    )
    const request = client.request({ ':path': '/' })
    request.on('error', () => {})
    await new Promise((resolve) => request.once('data', resolve))
    await outside()
    request.close(NGHTTP2_CANCEL)
    await until('both know', () => cancelled.length + aborted.length === 2)
    const abort = expect.objectContaining({ code: 'ERR_HOLDFAST_ABORTED' }) as unknown
    expect([...cancelled, ...aborted]).toEqual([abort, abort])
    await afterwards()
    expect(uncaught.messages).toEqual([])
  })
})

describe('a stream that is reset from here', () => {
  const moments: Record<string, () => Promise<void> | undefined> = {
    'in the tick of its last message': () => undefined,
    later: outside,
    'when its messages have arrived': () =>
      new Promise((resolve) => server!.client.ping(() => resolve())),
  }
  for (const [when, moment] of Object.entries(moments)) {
    it(`${when} is no end to its client, which would take it for the whole`, async () => {
      const client = await serving(async (stream) => {
        stream.respond()
        stream.write('half')
        await moment()
        stream.close({ code: 11 })
      })
      expect((await ask(client, '/')).code).toBe(11)
    })
  }
})

describe('a handler that fails', () => {
  const failures: Record<string, (act: () => void) => Handler> = {
    throws: (act) => () => {
      act()
      throw new Error('in the handler')
    },
    'is rejected': (act) => async () => {
      await Promise.resolve()
      act()
      throw new Error('in the handler')
    },
    'is rejected under fetch': (act) =>
      fetchListener(async () => {
        await Promise.resolve()
        act()
        throw new Error('in the handler')
      }),
  }
  for (const [how, failure] of Object.entries(failures)) {
    it(`and ${how} answers 500, and is an uncaught error of its own`, async () => {
      const client = await serving(failure(() => {}))
      expect(await ask(client, '/')).toMatchObject({ status: 500, text: '', code: 0 })
      const body = Buffer.alloc(1_000_000)
      expect(await ask(client, '/', { body })).toMatchObject({ status: 500, code: 0 })
      const head = await ask(client, '/', { headers: { ':method': 'HEAD' } })
      expect(head).toMatchObject({ status: 500, code: 0 })
      expect(uncaught.messages).toEqual(Array(3).fill('in the handler'))
    })

    it(`and ${how} in the middle of its answer breaks it off`, async () => {
      let stream: RequestStream | undefined
      const fail = failure(() => stream!.write('half'))
      const client = await serving((request, headers) => {
        stream = request
        return fail(request, headers)
      })
      const answer = await ask(client, '/')
      expect(answer).toMatchObject({ status: 200, code: NGHTTP2_INTERNAL_ERROR })
      expect(uncaught.messages).toEqual(['in the handler'])
    })

    it(`and ${how} behind its answer changes nothing for the client`, async () => {
      let stream: RequestStream | undefined
      const fail = failure(() => stream!.end('whole'))
      const client = await serving((request, headers) => {
        stream = request
        return fail(request, headers)
      })
      expect(await ask(client, '/')).toMatchObject({ status: 200, text: 'whole', code: 0 })
      await until('it is reported', () => uncaught.messages.length > 0)
      expect(uncaught.messages).toEqual(['in the handler'])
    })

    it(`and ${how} leaves a stream that it detached alone`, async () => {
      let stream: RequestStream | undefined
      const fail = failure(() => server!.manager.sse(stream!).detach())
      const client = await serving((request, headers) => {
        stream = request
        return fail(request, headers)
      })
      const answer = ask(client, '/')
      await until('it is reported', () => uncaught.messages.length > 0)
      expect(stream!.send('still here')).toBe(taken)
      stream!.close()
      expect(await answer).toMatchObject({ text: 'data: still here\n\n', code: 0 })
    })
  }

  it('does not keep another listener from being called', async () => {
    const client = await serving(() => {
      throw new Error('the first')
    })
    const seen: unknown[] = []
    server!.manager.on('stream', (_stream, headers) => seen.push(headers[':path']))
    expect((await ask(client, '/x')).status).toBe(500)
    expect(seen).toEqual(['/x'])
    expect(uncaught.messages).toEqual(['the first'])
  })

  it('by a body that fails half-way breaks its answer off', async () => {
    const client = await serving(
      fetchListener(() => {
        let pulls = 0
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            if (pulls++ === 1) throw new Error('in the body')
            controller.enqueue(Buffer.from('half'))
          },
        })
        return new Response(body)
      }),
    )
    expect(await ask(client, '/')).toMatchObject({ status: 200, code: NGHTTP2_INTERNAL_ERROR })
    expect(uncaught.messages).toEqual(['in the body'])
  })
})

/** What is thrown in a tick of its own has been thrown. */
async function afterwards(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await outside()
}
