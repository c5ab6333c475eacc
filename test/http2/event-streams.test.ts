import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { StreamManager, type ManagedStream, type SseOptions } from '../../dist/index.js'
import {
  eventServers,
  openEvents,
  type EventClient,
  type EventServer,
  type EventServerKind,
} from '../helpers/event-servers.js'
import { until } from '../helpers/wait.js'

let server: EventServer | undefined
const clients: EventClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await StreamManager.open().close()
  await server?.close()
})

/** Each request becomes an event stream with those options. */
async function serveEvents(
  kind: EventServerKind,
  options: SseOptions | ((path: string) => SseOptions) = {},
): Promise<{
  streams: ManagedStream[]
  open: (path?: string, headers?: Record<string, string>) => Promise<EventClient>
}> {
  const streams: ManagedStream[] = []
  const started = await kind.start((target, path) => {
    const chosen = typeof options === 'function' ? options(path) : options
    streams.push(StreamManager.open().sse(target, chosen).detach())
  })
  server = started
  return {
    streams,
    async open(path, headers) {
      const client = await openEvents(kind, started.port, path, headers)
      clients.push(client)
      return client
    },
  }
}

const comments = (text: string): number => text.split(':\n\n').length - 1

describe.each(eventServers)('an event stream on $name', (kind) => {
  test('is answered as one that nobody keeps or transforms, and carries events', async () => {
    const { streams, open } = await serveEvents(kind, { headers: { 'X-Extra': 'yes' } })
    const client = await open()
    expect(client.status).toBe(200)
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-extra': 'yes',
    })
    // A reactor's streams are another thread's.
    expect(streams[0]!.send('hello', { event: 'greeting' })).toMatch(/^(sent|queued)$/)
    await until('the event', () => client.text() === 'event: greeting\ndata: hello\n\n')
    streams[0]!.close()
    await until('its end', () => client.ended())
  })

  test('begins with how long to wait before connecting again, which is no event', async () => {
    const { streams, open } = await serveEvents(kind, { retryMs: 2500 })
    const client = await open()
    await until('the field', () => client.text() === 'retry: 2500\n\n')
    streams[0]!.send('x')
    await until('the event', () => client.text() === 'retry: 2500\n\ndata: x\n\n')
  })

  test('is told what its client received last', async () => {
    const { streams, open } = await serveEvents(kind)
    for (const id of ['plain-7', 'ü€🚀 with blanks']) {
      const sent = Buffer.from(id).toString('latin1')
      await open('/', { 'last-event-id': sent })
      expect(streams.at(-1)!.lastEventId).toBe(id)
    }
    await open('/')
    expect(streams.at(-1)!.lastEventId).toBeUndefined()
  })

  test('is told what the application found in the URL instead, if it says so', async () => {
    const { streams, open } = await serveEvents(kind, (path) => ({
      lastEventId: new URL(path, 'http://localhost').searchParams.get('last') ?? undefined,
    }))
    await open('/?last=9', { 'last-event-id': '8' })
    expect(streams.at(-1)!.lastEventId).toBe('9')
    await open('/', { 'last-event-id': '8' })
    expect(streams.at(-1)!.lastEventId).toBe('8')
  })

  test('is sent comments while it is quiet, and no others', async () => {
    const { streams, open } = await serveEvents(kind, (path) =>
      path === '/quiet' ? { heartbeatMs: 20 } : {},
    )
    const quiet = await open('/quiet')
    const without = await open('/without')
    await until('three comments', () => comments(quiet.text()) >= 3)
    expect(quiet.text().replaceAll(':\n\n', '')).toBe('')
    expect(without.text()).toBe('')
    expect(streams[0]!.queuedBytes).toBeLessThanOrEqual(3)
  })
})

const [http2Stream] = eventServers as [EventServerKind]

test('a heartbeat is a byte: it keeps a stream from being closed for idleness', async () => {
  StreamManager.open({ idleTimeoutMs: 200, cleanupIntervalMs: 10 })
  const { open } = await serveEvents(http2Stream, (path) =>
    path === '/beating' ? { heartbeatMs: 20 } : {},
  )
  const beating = await open('/beating')
  const idle = await open('/idle')
  await until('the end of the one that is idle', () => idle.ended())
  const before = comments(beating.text())
  await until('it still beats', () => comments(beating.text()) > before + 10)
  expect(beating.ended()).toBe(false)
})

test('the id of any event comes back as the client says it, or was refused', async () => {
  const { streams, open } = await serveEvents(http2Stream)
  const text = fc.string({
    unit: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\0') },
      { weight: 4, arbitrary: fc.constant(' ') },
      { weight: 15, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }) },
    ),
  })
  const seen = { refused: 0, came: 0, cameBack: 0 }
  await fc.assert(
    fc.asyncProperty(text, async (id) => {
      const client = await open()
      const stream = streams.at(-1)!
      if (/[\r\n\0]/.test(id)) {
        const refused: unknown = expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' })
        expect(() => stream.send('x', { id })).toThrow(refused)
        seen.refused++
        return
      }
      stream.send('x', { id })
      await until('the event', () => client.text().endsWith('\n\n'))
      const received = /^id: ([^\n]*)\n/.exec(client.text())![1]!
      expect(received).toBe(id)
      seen.came++
      // What a header cannot say at its ends, a client does not send.
      if (received.trim() !== received || received === '') return
      await open('/', { 'last-event-id': Buffer.from(received).toString('latin1') })
      expect(streams.at(-1)!.lastEventId).toBe(id)
      seen.cameBack++
    }),
    {
      numRuns: 60,
      examples: [['a\nb'], ['\r'], ['a\0'], ['a b'], ['ü€🚀'], [' at its ends '], ['']],
    },
  )
  expect(seen.refused + seen.came).toBe(60)
  expect(seen.refused).toBeGreaterThanOrEqual(3)
  expect(seen.came).toBeGreaterThan(seen.cameBack)
  // Most of those that are made up have nothing that is refused.
  expect(seen.cameBack).toBeGreaterThan(5)
})

describe('an event stream is refused before anything is answered', () => {
  for (const [name, options] of Object.entries({
    'an unknown option': { heartbeat: 1 },
    'a heartbeat of no time': { heartbeatMs: -1 },
    'a heartbeat that is no number': { heartbeatMs: '15' },
    'a wait that is none': { retryMs: 0.5 },
    'an id that is no text': { lastEventId: 7 },
    'a header that is none': { headers: { 'a b': 'c' } },
    'a header with a line break': { headers: { a: 'b\r\nc: d' } },
    'a header that is no bytes': { headers: { a: '€' } },
    'a header of the connection': { headers: { connection: 'close' } },
    'headers that are none': { headers: 'x' },
  })) {
    test(name, async () => {
      let error: unknown
      const started = await http2Stream.start((target) => {
        try {
          StreamManager.open().sse(target, options as never)
        } catch (thrown) {
          error = thrown
          StreamManager.open().sse(target).close()
        }
      })
      server = started
      const client = await openEvents(http2Stream, started.port)
      clients.push(client)
      expect(error).toMatchObject({ code: 'ERR_HOLDFAST_INVALID_OPTION' })
      await until('it was answered without', () => client.ended())
      expect(client.text()).toBe('')
    })
  }
})
