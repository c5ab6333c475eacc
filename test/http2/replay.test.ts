import { afterEach, describe, expect, test } from 'vitest'
import {
  StreamManager,
  type ManagedStream,
  type SseOptions,
  type SubscribeOptions,
} from '../../dist/index.js'
import { eventsIn } from '../helpers/event-list.js'
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

const error = (code: string): Error => expect.objectContaining({ code }) as Error
const data = (client: EventClient): string[] => eventsIn(client.text()).map((event) => event.data)
const lastId = (client: EventClient): string => eventsIn(client.text()).at(-1)!.id!

interface Feed {
  readonly streams: ManagedStream[]
  /** What `subscribe` answered. */
  readonly joined: boolean[]
  open(lastEventId?: string): Promise<EventClient>
}

/** Each request becomes an event stream that is a member of `news` behind what its client says. */
async function feed(kind: EventServerKind, options: SseOptions = {}): Promise<Feed> {
  const streams: ManagedStream[] = []
  const joined: boolean[] = []
  const started = await kind.start((target) => {
    const stream = StreamManager.open().sse(target, options).detach()
    streams.push(stream)
    joined.push(stream.subscribe('news', { after: stream.lastEventId }))
  })
  server = started
  return {
    streams,
    joined,
    async open(lastEventId) {
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      const client = await openEvents(kind, started.port, '/', headers)
      clients.push(client)
      return client
    },
  }
}

function publish(...texts: string[]): void {
  for (const text of texts) StreamManager.open().publish('news', text)
}

describe.each(eventServers)('a client that comes back on $name', (kind) => {
  test('gets what it missed, then what is published, and nothing twice', async () => {
    const { open, joined } = await feed(kind)
    StreamManager.open().setTopic('news', { replay: {} })
    const first = await open()
    publish('1', '2', '3')
    await until('all of it', () => data(first).length === 3)
    const id = lastId(first)
    first.close()
    publish('4')
    StreamManager.open().publish('news', 'line\nbreak', { event: 'special', retry: 7 })
    const second = await open(id)
    publish('6')
    await until('the rest', () => data(second).length === 3)
    expect(data(second)).toEqual(['4', 'line\nbreak', '6'])
    expect(eventsIn(second.text())[1]).toMatchObject({ event: 'special' })
    const third = await open(lastId(second))
    publish('7')
    await until('the last one', () => data(third).length === 1)
    expect(data(third)).toEqual(['7'])
    expect(joined).toEqual([true, true, true])
    expect(StreamManager.open().stats()).toMatchObject({ replayTopics: 1, replayEvents: 7 })
  })

  test('is told once that more is missing than is kept, and may come back from there', async () => {
    const { open } = await feed(kind)
    StreamManager.open().setTopic('news', { replay: { events: 2 } })
    const first = await open()
    publish('1')
    await until('it', () => data(first).length === 1)
    publish('2', '3', '4', '5')
    const second = await open(lastId(first))
    await until('the rest', () => data(second).length >= 3)
    expect(eventsIn(second.text()).map(({ event, data: text }) => [event, text])).toEqual([
      ['gap', 'news'],
      [undefined, '4'],
      [undefined, '5'],
    ])
    // If the mark is the last that it got.
    const third = await open(eventsIn(second.text())[0]!.id)
    await until('the rest', () => data(third).length >= 2)
    expect(data(third)).toEqual(['4', '5'])
  })
})

const [http2Stream] = eventServers as [EventServerKind]

test('a topic that is kept anew, as after a restart, tells its clients of one gap', async () => {
  const { open } = await feed(http2Stream)
  const manager = StreamManager.open()
  manager.setTopic('news', { replay: {} })
  const first = await open()
  publish('1')
  await until('it', () => data(first).length === 1)
  const before = manager.stats()
  manager.setTopic('news', { replay: false })
  manager.setTopic('news', { replay: {} })
  const second = await open(lastId(first))
  publish('2')
  await until('both', () => data(second).length === 2)
  expect(data(second)).toEqual(['news', '2'])
  const third = await open(eventsIn(second.text())[0]!.id)
  await until('the rest', () => data(third).length === 1)
  expect(data(third)).toEqual(['2'])
  expect(manager.stats().replayGaps - before.replayGaps).toBe(1)
  expect(manager.stats().messagesReplayed - before.messagesReplayed).toBe(1)
})

test('any text that a client says for an id is taken, and is one gap', async () => {
  const { open } = await feed(http2Stream)
  StreamManager.open().setTopic('news', { replay: {} })
  publish('1')
  for (const id of ['0', 'x'.repeat(2000), 'Ã¼', "'; --", '000000000000-1']) {
    const client = await open(id)
    await until('both', () => data(client).length === 2)
    expect(data(client)).toEqual(['news', '1'])
  }
})

test('a stream’s own mark stands where messages are missing, and has the id to come back from', async () => {
  const { open } = await feed(http2Stream, {
    onGap: () => ({ data: 'fetch anew', options: { event: 'missed' } }),
  })
  StreamManager.open().setTopic('news', { replay: { events: 1 } })
  publish('1', '2')
  const client = await open('unknown')
  await until('both', () => data(client).length === 2)
  const [mark, rest] = eventsIn(client.text())
  expect(mark).toMatchObject({ event: 'missed', data: 'fetch anew' })
  expect(rest).toMatchObject({ data: '2' })
  const again = await open(mark!.id)
  await until('the rest', () => data(again).length === 1)
  expect(data(again)).toEqual(['2'])
})

test('a stream that its onGap closes becomes no member', async () => {
  const { open, joined, streams } = await feed(http2Stream, {
    onGap() {
      streams[0]!.close()
      return { data: 'bye' }
    },
  })
  StreamManager.open().setTopic('news', { replay: {} })
  const client = await open('unknown')
  await until('its end', () => client.ended())
  expect(joined).toEqual([false])
  expect(StreamManager.open().topics()).toEqual([])
})

test.each(['drop', 'drop-oldest', 'latest', 'disconnect'] as const)(
  'what a client missed comes whole and in order, with %s',
  async (onSlow) => {
    const { open } = await feed(http2Stream, { onSlow })
    StreamManager.open().setTopic('news', { replay: {} })
    const first = await open()
    publish('0')
    await until('it', () => data(first).length === 1)
    const texts = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(400)}`)
    publish(...texts)
    const second = await open(lastId(first))
    publish('end')
    await until('all of it', () => data(second).at(-1) === 'end')
    expect(data(second)).toEqual([...texts, 'end'])
    const [stream] = StreamManager.open().subscribers('news').slice(-1)
    await until('nothing waits', () => StreamManager.open().find(stream!)?.queuedBytes === 0)
  },
)

test('without an id it is an ordinary member; a second time changes nothing', async () => {
  const { open, streams, joined } = await feed(http2Stream)
  StreamManager.open().setTopic('news', { replay: {} })
  publish('before')
  const client = await open()
  expect(streams[0]!.subscribe('news', { after: 'x' })).toBe(false)
  expect(streams[0]!.subscribe('other', { after: '' })).toBe(true)
  publish('after')
  await until('it', () => data(client).length > 0)
  expect(data(client)).toEqual(['after'])
  expect(joined).toEqual([true])
})

test('members of another kind get what they missed in their own form', async () => {
  const manager = StreamManager.open()
  const { open } = await feed(http2Stream)
  manager.setTopic('news', { replay: {} })
  const client = await open()
  publish('1')
  await until('it', () => data(client).length === 1)
  publish('2', '3')
  const { PassThrough } = await import('node:stream')
  const raw = new PassThrough()
  expect(manager.register(raw).subscribe('news', { after: lastId(client) })).toBe(true)
  publish('4')
  let text = ''
  raw.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await until('all of it', () => text.length === 3)
  expect(text).toBe('234')
})

describe('is refused, with nothing changed:', () => {
  test('a topic that is kept in a way that is none', () => {
    const manager = StreamManager.open()
    for (const options of [
      undefined,
      {},
      { replay: true },
      { replay: { events: 0 } },
      { replay: { events: 1.5 } },
      { replay: { bytes: 10 } },
      { replay: { size: 1 } },
      { replay: {}, more: 1 },
    ]) {
      expect(() => manager.setTopic('t', options as never)).toThrow(
        error('ERR_HOLDFAST_INVALID_OPTION'),
      )
    }
    expect(() => manager.setTopic('', { replay: {} })).toThrow(
      error('ERR_HOLDFAST_INVALID_ARGUMENT'),
    )
    expect(manager.stats().replayTopics).toBe(0)
  })

  test('more than maxReplayBytes for all topics together', () => {
    const manager = StreamManager.open({ maxReplayBytes: 10_000 })
    manager.setTopic('a', { replay: { bytes: 6000 } })
    expect(() => manager.setTopic('b', { replay: { bytes: 6000 } })).toThrow(
      error('ERR_HOLDFAST_REPLAY_LIMIT'),
    )
    expect(() => manager.setTopic('b', { replay: {} })).toThrow(error('ERR_HOLDFAST_REPLAY_LIMIT'))
    manager.setTopic('a', { replay: { bytes: 4000 } })
    manager.setTopic('b', { replay: { bytes: 6000 } })
    for (let i = 0; i < 1000; i++) manager.publish('b', 'x'.repeat(i))
    const { replayTopics, replayBytes } = manager.stats()
    expect(replayTopics).toBe(2)
    expect(replayBytes).toBeGreaterThan(0)
    expect(replayBytes).toBeLessThanOrEqual(6000)
  })

  test('an id for a message of a kept topic, and an after that is none', async () => {
    const { open, streams } = await feed(http2Stream)
    const manager = StreamManager.open()
    manager.setTopic('news', { replay: {} })
    expect(() => manager.publish('news', 'x', { id: '7' })).toThrow(
      error('ERR_HOLDFAST_INVALID_ARGUMENT'),
    )
    expect(manager.publish('other', 'x', { id: '7' })).toBe(0)
    await open()
    for (const [options, code] of [
      [{ after: 7 }, 'ERR_HOLDFAST_INVALID_ARGUMENT'],
      [{ before: '7' }, 'ERR_HOLDFAST_INVALID_OPTION'],
      [null, 'ERR_HOLDFAST_INVALID_OPTION'],
    ] as const) {
      expect(() => streams[0]!.subscribe('t', options as unknown as SubscribeOptions)).toThrow(
        error(code),
      )
    }
    expect(manager.stats().replayEvents).toBe(0)
  })
})
