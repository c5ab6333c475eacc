import { once } from 'node:events'
import http2 from 'node:http2'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { fetchListener, StreamManager, type RequestStream } from '../../dist/index.js'
import {
  ask,
  begin,
  finish,
  serveRequests,
  settled,
  type Handler,
  type RequestServer,
} from '../helpers/requests.js'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'

const kTotal = 8_000_000
/** Windows and buffers of both sides together; far less than all. */
const kBound = 600_000
const chunk = Buffer.alloc(10_000, 'x')

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

/** A request whose client would send it all, and what of it its socket was given. */
function upload(client: http2.ClientHttp2Session) {
  const request = client.request({ ':method': 'POST' })
  request.on('error', () => {})
  Readable.from(Array<Buffer>(kTotal / chunk.length).fill(chunk)).pipe(request)
  const answer = finish(request)
  return { answer, sent: () => client.socket.bytesWritten }
}

describe('a client that does not read', () => {
  const writers: Record<string, (count: (bytes: number) => void) => Handler> = {
    'write and drained': (count) => async (stream) => {
      for (let written = 0; written < kTotal; written += chunk.length) {
        count(chunk.length)
        if (!stream.write(chunk) && !(await stream.drained())) return
      }
      stream.end()
    },
    'a Duplex': (count) => async (stream) => {
      const duplex = stream.toDuplex()
      for (let written = 0; written < kTotal; written += chunk.length) {
        count(chunk.length)
        if (!duplex.write(chunk)) await once(duplex, 'drain')
      }
      duplex.end()
    },
    'a Response': (count) =>
      fetchListener(() => {
        let written = 0
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            if (written === kTotal) {
              controller.close()
              return
            }
            written += chunk.length
            count(chunk.length)
            controller.enqueue(new Uint8Array(chunk))
          },
        })
        return new Response(body)
      }),
  }
  for (const [what, writer] of Object.entries(writers)) {
    it(`stops a handler that writes by ${what}, and is given all once it reads`, async () => {
      let written = 0
      const client = await serving(writer((bytes) => (written += bytes)))
      const request = begin(client, '/')
      await once(request, 'response')
      expect(await settled(client, () => written)).toBeLessThan(kBound)
      expect(written).toBeGreaterThan(0)
      expect((await finish(request)).text.length).toBe(kTotal)
      expect(written).toBe(kTotal)
    })
  }
})

describe('long answers that their handlers ended', () => {
  const kAnswers = 10
  const long = Buffer.alloc(kTotal, 'abcdefg')
  const trailers = { 'x-length': String(kTotal) }
  const answering: Handler = (stream) => {
    stream.respond({}, { trailers: true })
    stream.end(long, { trailers })
  }

  it('do not cost a client that reads them late its connection', async () => {
    server = await serveRequests(answering, http2.createServer({ maxSessionMemory: 200 }))
    const { client } = server
    const requests = Array.from({ length: kAnswers }, () => begin(client, '/'))
    await Promise.all(requests.map((request) => once(request, 'response')))
    await settled(client, () => 0)
    for (const request of requests) {
      const told = once(request, 'trailers')
      expect((await finish(request)).text).toBe(long.toString())
      expect((await told)[0]).toMatchObject(trailers)
    }
  })

  it('keep their order with what was written before', async () => {
    const client = await serving((stream) => {
      stream.write('first ')
      stream.write(long)
      stream.write(' then')
      stream.end(' last')
    })
    expect((await ask(client, '/')).text).toBe(`first ${long.toString()} then last`)
  })

  it('do not go on when they are reset', async () => {
    let drained: boolean | undefined
    const client = await serving(async (stream, headers) => {
      if (headers[':path'] === '/other') {
        stream.end('answered')
        return
      }
      stream.write(long)
      drained = await stream.drained()
    })
    const request = begin(client, '/')
    await once(request, 'response')
    request.close(http2.constants.NGHTTP2_CANCEL)
    await until('the handler knows', () => drained !== undefined)
    expect(drained).toBe(false)
    expect((await ask(client, '/other')).text).toBe('answered')
  })

  it('are whole or broken off, when the manager closes amid them', async () => {
    const client = await serving(answering)
    const request = begin(client, '/')
    await once(request, 'response')
    const answer = finish(request)
    await StreamManager.open().close()
    const { text, trailers: told, code } = await answer
    if (told) expect(text.length).toBe(kTotal)
    else expect([text.length < kTotal, code]).not.toEqual([true, 0])
  })
})

describe('a handler that does not read', () => {
  const readers: Record<string, (read: Promise<void>) => Handler> = {
    'a body not touched yet': (read) => async (stream) => {
      await read
      stream.end(String(await sizeOf(stream.body)))
    },
    'a body of which it read a piece': (read) => async (stream) => {
      const reader = stream.body.getReader()
      const { value } = await reader.read()
      reader.releaseLock()
      await read
      stream.end(String(value!.length + (await sizeOf(stream.body))))
    },
    'a Duplex': (read) => async (stream) => {
      const duplex = stream.toDuplex()
      await once(duplex, 'readable')
      await read
      let size = 0
      for await (const piece of duplex.iterator({ destroyOnReturn: false })) {
        size += (piece as Buffer).length
      }
      duplex.end(String(size))
    },
    'a Request': (read) =>
      fetchListener(async (request) => {
        const body = request.body!
        await read
        return new Response(String(await sizeOf(body)))
      }),
  }
  for (const [what, reader] of Object.entries(readers)) {
    it(`stops its client by flow control: ${what}`, async () => {
      let go = (): void => {}
      const client = await serving(reader(new Promise((resolve) => (go = resolve))))
      const { answer, sent } = upload(client)
      // A PING takes 17 bytes.
      let pings = 0
      const moved = (): number => sent() - 17 * pings++
      expect(await settled(client, moved)).toBeLessThan(kBound)
      go()
      expect((await answer).text).toBe(String(kTotal))
      expect(sent()).toBeGreaterThan(kTotal)
    })
  }

  it('does not stop the other streams of the session', async () => {
    const kept: RequestStream[] = []
    const client = await serving((stream, headers) => {
      if (headers[':method'] === 'POST') kept.push(stream)
      else stream.end('at once')
    })
    const first = upload(client)
    const second = upload(client)
    await settled(client, () => kept.length)
    expect((await ask(client, '/')).text).toBe('at once')
    for (const stream of kept) stream.end('late')
    expect((await first.answer).text + (await second.answer).text).toBe('latelate')
  })
})

describe('five hundred requests at once', () => {
  it('are each given their own body back', async () => {
    await serving(async (stream) => {
      const parts: Uint8Array[] = []
      for await (const part of stream.body) parts.push(part)
      stream.respond({ 'x-size': Buffer.concat(parts).length })
      for (const part of parts) if (!stream.write(part)) await stream.drained()
      stream.end()
    })
    const clients = Array.from({ length: 5 }, () => connect(server!.url))
    const answers = clients.flatMap((client, session) =>
      Array.from({ length: 100 }, async (_, index) => {
        const body = `${session}:${index},`.repeat(index * 20 + 1)
        const answer = await ask(client, '/', { body })
        return answer.status === 200 && answer.text === body && answer.code === 0
      }),
    )
    expect((await Promise.all(answers)).filter(Boolean).length).toBe(500)
    for (const client of clients) client.destroy()
  })
})

async function sizeOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const piece of body) size += piece.length
  return size
}
