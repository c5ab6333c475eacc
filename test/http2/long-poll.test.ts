import { once } from 'node:events'
import http, { ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import {
  StreamManager,
  type LongPollOptions,
  type ManagedStream,
  type PolledMessage,
  type StreamTarget,
} from '../../dist/index.js'
import { connect } from '../helpers/client.js'
import { eventServers, type EventServer, type EventServerKind } from '../helpers/event-servers.js'
import { collected } from '../helpers/garbage.js'
import { until } from '../helpers/wait.js'

let server: EventServer | undefined
const endings: (() => void)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) end()
  await StreamManager.open().close()
  await server?.close()
})

const error = (code: string): Error => expect.objectContaining({ code }) as Error

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly messages: PolledMessage[]
  readonly cursor: string
}

interface Poller {
  readonly held: ManagedStream[]
  readonly errors: unknown[]
  readonly targets: WeakRef<StreamTarget>[]
  poll(cursor?: string, method?: string): { answer: Promise<Answer>; abort: () => void }
}

/** Each request is a long-poll of `news`; the query says from where. */
async function poller(
  kind: EventServerKind,
  options: Partial<LongPollOptions> = {},
): Promise<Poller> {
  const held: ManagedStream[] = []
  const errors: unknown[] = []
  const targets: WeakRef<StreamTarget>[] = []
  const started = await kind.start((target, path) => {
    targets.push(new WeakRef(target))
    const cursor = new URL(path, 'http://localhost').searchParams.get('cursor') ?? undefined
    try {
      held.push(StreamManager.open().longPoll(target, { topic: 'news', cursor, ...options }))
    } catch (thrown) {
      errors.push(thrown)
      if (target instanceof ServerResponse) target.end('unanswered')
      else (target as ServerHttp2Stream).end('unanswered')
    }
  })
  server = started
  const session = kind.http === 2 ? connect(`http://127.0.0.1:${started.port}`) : undefined
  endings.push(() => session?.destroy())
  return {
    held,
    errors,
    targets,
    poll(cursor, method = 'GET') {
      const path = cursor === undefined ? '/' : `/?cursor=${encodeURIComponent(cursor)}`
      if (session) {
        const request = session.request({ ':path': path, ':method': method })
        request.on('error', () => {})
        return { answer: readAnswer(request, 'response'), abort: () => request.close(8) }
      }
      const request = http.request({
        ...{ port: started.port, host: '127.0.0.1', path, method, agent: false },
      })
      request.on('error', () => {})
      request.end()
      return { answer: readAnswer(request, 'response'), abort: () => void request.destroy() }
    },
  }
}

async function readAnswer(request: NodeJS.EventEmitter, event: string): Promise<Answer> {
  const [answer] = (await once(request, event)) as [IncomingHttpHeaders | http.IncomingMessage]
  const isHttp1 = answer instanceof http.IncomingMessage
  const body = (isHttp1 ? answer : request) as NodeJS.ReadableStream
  let text = ''
  body.setEncoding('utf8')
  for await (const chunk of body) text += chunk as string
  const headers = (isHttp1 ? answer.headers : answer) as IncomingHttpHeaders
  return {
    status: Number(isHttp1 ? answer.statusCode : answer[':status']),
    headers,
    body: text,
    messages: text.startsWith('[') ? (JSON.parse(text) as PolledMessage[]) : [],
    cursor: String(headers['holdfast-cursor']),
  }
}

const texts = (answer: Answer): unknown[] => answer.messages.map(({ data }) => data)
const keep = (events = 1000): void => StreamManager.open().setTopic('news', { replay: { events } })
const publish = (text: string | Uint8Array): unknown => StreamManager.open().publish('news', text)

describe.each(eventServers)('a long-poll on $name', (kind) => {
  test('is held until the first message, and answered at once with those behind its cursor', async () => {
    const { poll, held } = await poller(kind)
    keep()
    publish('of the past')
    const { answer } = poll()
    await until('it is held', () => held.length === 1)
    expect(StreamManager.open().find(held[0]!.uid)).toMatchObject({ kind: 'raw' })
    publish('1')
    const first = await answer
    expect(first.status).toBe(200)
    expect(first.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
    })
    expect(texts(first)).toEqual(['1'])
    expect(first.messages[0]!.id).toBe(first.cursor)
    publish('2')
    StreamManager.open().publish('news', '{"3":\n"ü€"}', { event: 'special' })
    const second = await poll(first.cursor).answer
    expect(texts(second)).toEqual(['2', '{"3":\n"ü€"}'])
    expect(second.messages.map(({ event }) => event)).toEqual([undefined, 'special'])
    await until('both have gone', () => StreamManager.open().stats().activeStreams === 0)
    // Which of a reactor this thread hears a moment later.
    await until('both know', () => held.every(({ live }) => !live))
    expect(held.length).toBe(2)
  })

  test('is answered with nothing at its time-out, and misses nothing until the next', async () => {
    const { poll } = await poller(kind, { timeoutMs: 20 })
    keep()
    publish('of the past')
    const nothing = await poll().answer
    expect(nothing).toMatchObject({ status: 204, body: '' })
    publish('1')
    const something = await poll(nothing.cursor).answer
    expect(texts(something)).toEqual(['1'])
    const again = await poll(something.cursor).answer
    expect(again).toMatchObject({ status: 204, cursor: something.cursor })
  })

  test('is told once that more is missing than is kept', async () => {
    const { poll } = await poller(kind, { timeoutMs: 20 })
    keep(2)
    const { cursor } = await poll().answer
    for (const text of ['1', '2', '3']) publish(text)
    const gap = await poll(cursor).answer
    expect(gap.messages).toMatchObject([
      { event: 'gap', data: 'news' },
      { data: '2' },
      { data: '3' },
    ])
    expect(await poll(gap.cursor).answer).toMatchObject({ status: 204 })
    const stranger = await poll('whatever').answer
    expect(stranger.messages[0]).toEqual({ event: 'gap', data: 'news' })
  })

  test('is answered when its topic is kept no more, and told of a gap where it is kept anew', async () => {
    const { poll, held } = await poller(kind)
    const giveUp = (): void => StreamManager.open().setTopic('news', { replay: false })
    keep()
    const first = poll()
    await until('it is held', () => held.length === 1)
    giveUp()
    expect(await first.answer).toMatchObject({ status: 204, body: '' })
    keep()
    const second = poll()
    await until('it is held', () => held.length === 2)
    giveUp()
    keep()
    publish('of another topic by that name')
    const { messages } = await second.answer
    expect(messages).toMatchObject([
      { event: 'gap', data: 'news' },
      { data: 'of another topic by that name' },
    ])
  })

  test('one that is closed by uid is answered without a message', async () => {
    const { poll, held } = await poller(kind)
    keep()
    const { answer } = poll()
    await until('it is held', () => held.length === 1)
    expect(StreamManager.open().close(held[0]!.uid)).toBe(true)
    expect(await answer).toMatchObject({ status: 503, body: '' })
    publish('1')
  })
})

const [http2Stream] = eventServers as [EventServerKind]

test('a thousand that wait for the same message are answered by one, each with all of it', async () => {
  const { poll, held } = await poller(http2Stream)
  keep()
  const answers = Array.from({ length: 1000 }, () => poll().answer)
  await until('all are held', () => held.length === 1000)
  publish('1')
  publish('2')
  for (const answer of await Promise.all(answers)) {
    expect(texts(answer)).toEqual(['1', '2'])
  }
})

test('one whose client has gone is un-registered, and the others are answered', async () => {
  const { poll, held } = await poller(http2Stream)
  keep()
  const { abort } = poll()
  const { answer } = poll()
  await until('both are held', () => held.length === 2)
  abort()
  await until('one has gone', () => StreamManager.open().stats().activeStreams === 1)
  publish('1')
  expect(texts(await answer)).toEqual(['1'])
})

test('of one whose client has gone nothing is kept until its time-out', async () => {
  const { poll, held, targets } = await poller(http2Stream, { timeoutMs: 3_600_000 })
  keep()
  const { abort } = poll()
  await until('it is held', () => held.length === 1)
  held.pop()
  abort()
  await until('it has gone', () => StreamManager.open().stats().activeStreams === 0)
  await collected(targets[0]!)
})

test('those that wait are answered when the manager closes, also by one of their own', async () => {
  const { poll, held } = await poller(http2Stream)
  keep()
  const answers = [poll(), poll(), poll()].map(({ answer }) => answer)
  await until('all are held', () => held.length === 3)
  let closed: Promise<void> | undefined
  for (const stream of held) {
    stream.on('close', () => (closed = StreamManager.open().close()))
  }
  publish('1')
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(statuses[0]).toBe(200)
  expect(statuses.every((status) => status === 200 || status === 503)).toBe(true)
  await until('it was closed', () => closed !== undefined)
  await closed
})

test('one whose manager is closed as it begins is answered', async () => {
  const { poll } = await poller(http2Stream)
  keep()
  const manager = StreamManager.open()
  manager.on('socket', (socket) => socket.on('streamCreated', () => void manager.close()))
  expect(await poll().answer).toMatchObject({ status: 503 })
})

test('HEAD is answered as well when its manager closes', async () => {
  const { poll, held } = await poller(http2Stream)
  keep()
  const { cursor } = await poll('whatever').answer
  const { answer } = poll(cursor, 'HEAD')
  await until('it is held', () => held.length === 2)
  await StreamManager.open().close()
  expect(await answer).toMatchObject({ status: 503, body: '' })
})

test('the answer to HEAD has a cursor and no body', async () => {
  const { poll, held } = await poller(http2Stream)
  keep()
  const { cursor } = await poll('whatever').answer
  const { answer } = poll(cursor, 'HEAD')
  await until('it is held', () => held.length === 2)
  publish('1')
  const head = await answer
  expect(head).toMatchObject({ status: 200, body: '' })
  const get = await poll(cursor).answer
  expect(texts(get)).toEqual(['1'])
  expect(head.cursor).toBe(get.cursor)
})

test('bytes that are no UTF-8 arrive as they are', async () => {
  const { poll, held } = await poller(http2Stream)
  keep()
  const { answer } = poll()
  await until('it is held', () => held.length === 1)
  const bytes = Buffer.from([0xff, 0x00, 0xfe])
  publish(bytes)
  const [message] = (await answer).messages
  expect(message).not.toHaveProperty('data')
  expect(Buffer.from(message!.base64!, 'base64')).toEqual(bytes)
})

test('an answer is as large as a stream may have waiting; the next one goes on', async () => {
  StreamManager.open({ sendBudgetBytes: 2000 })
  const { poll } = await poller(http2Stream, { timeoutMs: 0 })
  keep()
  let { cursor } = await poll().answer
  const sent = Array.from({ length: 10 }, (_, i) => String(i).repeat(900))
  for (const text of sent) publish(text)
  const received: unknown[] = []
  while (received.length < 10) {
    const answer = await poll(cursor).answer
    expect(answer.messages).toHaveLength(2)
    received.push(...texts(answer))
    cursor = answer.cursor
  }
  expect(received).toEqual(sent)
})

describe('is refused, and the request unanswered:', () => {
  test.each([
    [{ topic: 'not kept' }, 'ERR_HOLDFAST_INVALID_ARGUMENT'],
    [{ topic: '' }, 'ERR_HOLDFAST_INVALID_ARGUMENT'],
    [{ cursor: 7 }, 'ERR_HOLDFAST_INVALID_ARGUMENT'],
    [{ timeoutMs: -1 }, 'ERR_HOLDFAST_INVALID_OPTION'],
    [{ timeout: 1 }, 'ERR_HOLDFAST_INVALID_OPTION'],
    [{ tags: 'x' }, 'ERR_HOLDFAST_INVALID_OPTION'],
  ])('%j', async (options, code) => {
    const { poll, errors } = await poller(http2Stream, options as never)
    keep()
    expect((await poll().answer).body).toBe('unanswered')
    expect(errors).toEqual([error(code)])
  })

  test('one more than a thread may hold', async () => {
    StreamManager.open({ maxStreamsPerWorker: 2 })
    const { poll, held, errors } = await poller(http2Stream)
    keep()
    const { abort } = poll()
    poll()
    await until('two are held', () => held.length === 2)
    expect((await poll().answer).body).toBe('unanswered')
    expect(errors).toEqual([error('ERR_HOLDFAST_WORKER_LIMIT')])
    abort()
    await until('there is room', () => StreamManager.open().stats().activeStreams === 1)
  })

  test('a Duplex', () => {
    keep()
    expect(() => StreamManager.open().longPoll(new Duplex(), { topic: 'news' })).toThrow(
      error('ERR_HOLDFAST_INVALID_STREAM'),
    )
  })
})
