// What the application's own listeners do in the middle of ours.
import type { IncomingHttpHeaders } from 'node:http2'
import { Duplex, PassThrough } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { StreamManager, type ManagedStream, type RequestStream } from '../../dist/index.js'
import { carrierOptions } from '../helpers/carrier.js'
import { ask, serveRequests, type RequestServer } from '../helpers/requests.js'
import { collectUncaught } from '../helpers/uncaught.js'
import { until } from '../helpers/wait.js'

let server: RequestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
  await StreamManager.open().close()
})

/** What the handler threw, if it did. */
async function serving(
  handler: (stream: RequestStream, headers: IncomingHttpHeaders) => unknown,
): Promise<{ server: RequestServer; thrown: unknown[] }> {
  const thrown: unknown[] = []
  server = await serveRequests((stream, headers) => {
    try {
      handler(stream, headers)
    } catch (error) {
      thrown.push(error)
      stream.reset(2)
    }
  })
  return { server, thrown }
}

/** Before there is a socket. */
function onEachStream(listener: (stream: ManagedStream) => unknown): void {
  const manager = StreamManager.open(carrierOptions)
  manager.on('socket', (socket) => socket.on('streamCreated', listener))
}

test('a manager closes whole although a listener to the end of a socket throws', async () => {
  const manager = StreamManager.open(carrierOptions)
  manager.on('socket', (socket) => {
    socket.on('close', () => {
      throw new Error('mine')
    })
  })
  const { server } = await serving((stream) => manager.sse(stream))
  const answer = ask(server.client, '/')
  await until('it is held', () => manager.stats().activeSseStreams === 1)
  const uncaught = collectUncaught()
  await manager.close()
  await answer
  await until('it was thrown', () => uncaught.messages.length > 0)
  uncaught.stop()
  expect(uncaught.messages).toEqual(['mine'])
  expect(StreamManager.open()).not.toBe(manager)
})

for (const [code, expected] of [
  [0, { status: 503, code: 0 }],
  [8, { status: undefined, code: 8 }],
] as const) {
  test(`an event stream that is closed with ${code} as it is created`, async () => {
    onEachStream((stream) => stream.close({ code }))
    const { server, thrown } = await serving((stream) => {
      const events = StreamManager.open().sse(stream, { retryMs: 5 })
      expect(events.send('too late')).toBe('gone')
    })
    expect(await ask(server.client, '/')).toMatchObject(expected)
    expect(thrown).toEqual([])
  })
}

test('an event stream whose headers are wrong is not registered', async () => {
  const { server, thrown } = await serving((stream) => {
    const headers = { 'content-type': ['a', 'b'] } as unknown as Record<string, string>
    StreamManager.open().sse(stream, { headers })
  })
  const before = server.manager.stats().totalStreamsCreated
  expect((await ask(server.client, '/')).code).toBe(2)
  expect(thrown).toEqual([expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_OPTION' })])
  expect(server.manager.stats().totalStreamsCreated).toBe(before)
})

test('a manager that is closed as a stream of it is created', async () => {
  onEachStream(() => void StreamManager.open().close())
  const { server, thrown } = await serving((stream) => {
    StreamManager.open().sse(stream, { retryMs: 5, heartbeatMs: 5 })
  })
  const { manager } = server
  expect((await ask(server.client, '/')).status).toBe(503)
  expect(thrown).toEqual([])
  await manager.close()
})

test('a manager closes whole in the tick in which a stream with a message was reset', async () => {
  const { server, thrown } = await serving((stream) => {
    const { manager } = server
    manager.send(stream.uid, 'x')
    stream.close({ code: 8 })
    closed = manager.close()
  })
  let closed: Promise<void> | undefined
  await ask(server.client, '/')
  await until('it was closed', () => closed !== undefined)
  await closed
  expect(thrown).toEqual([])
})

test('a manager that closes takes no stream of those who hear of it', async () => {
  const { server } = await serving((stream) => {
    StreamManager.open()
      .sse(stream)
      .on('close', () => {
        const raw = new PassThrough()
        try {
          StreamManager.open().register(raw)
        } catch (error) {
          refused.push(error)
        }
      })
  })
  const refused: unknown[] = []
  const answer = ask(server.client, '/')
  await until('it is held', () => server.manager.stats().activeSseStreams === 1)
  await server.manager.close()
  await answer
  expect(refused).toEqual([expect.objectContaining({ code: 'ERR_HOLDFAST_CLOSED' })])
})

test('a manager that is closed as a socket of it is told of', async () => {
  const manager = StreamManager.open()
  manager.on('socket', () => void manager.close())
  const raw = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  expect(() => manager.register(raw)).toThrowError(
    expect.objectContaining({ code: 'ERR_HOLDFAST_CLOSED' }),
  )
  await manager.close()
})
