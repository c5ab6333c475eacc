import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StreamManager, type ManagedStream, type Stats, type StreamUid } from '../../dist/index.js'
import { Collector } from '../helpers/collector.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const script = new URL('fixtures/publish.mjs', import.meta.url)
const manager = StreamManager.open()
let threads: TestThread[] = []
let before: Stats

beforeEach(async () => {
  before = manager.stats()
  threads = await TestThread.all(script, 4)
})
afterEach(async () => {
  await Promise.all(threads.map((thread) => thread.terminate()))
  await until('they have gone', () => manager.workers().length === 1)
})

type Counter = Extract<keyof Stats, `messages${string}`>
const since = (name: Counter): number => manager.stats()[name] - before[name]

/** Every message taken is counted once more, by what became of it. */
function expectAllSettled(): Promise<void> {
  return until(
    'every message is accounted for',
    () =>
      since('messagesQueued') + since('messagesPublished') ===
      since('messagesDelivered') + since('messagesUndeliverable') + since('messagesDropped'),
  )
}

/** A stream of this thread, and the text that was written to it. */
function collect(kind: 'raw' | 'sse'): { stream: ManagedStream; text: () => string } {
  const target = new Collector().resume() // else it does not see its end
  return { stream: manager.register(target, { kind }), text: () => target.text() }
}

test('messages and publishes of all threads at once arrive in each sender’s order, all counted', async () => {
  const uids = await Promise.all(threads.map((t) => t.call<StreamUid[]>('join', 25, 'all')))
  const spoken = await Promise.all(
    threads.map((t) =>
      t.call<{ sent: number; addressed: number }>('speak', uids.flat(), 'all', 5000),
    ),
  )
  const taken = spoken.reduce((all, { sent, addressed }) => all + sent + addressed, 0)
  expect(spoken.map(({ addressed }) => addressed)).toEqual([50_000, 50_000, 50_000, 50_000])
  await expectAllSettled()
  const totals = await Promise.all(
    threads.map((t) => t.call<{ received: number; outOfOrder: number }>('totals')),
  )
  const received = totals.reduce((all, one) => all + one.received, 0)
  expect(totals.map(({ outOfOrder }) => outOfOrder)).toEqual([0, 0, 0, 0])
  expect(received).toBe(taken - since('messagesDropped') - since('messagesUndeliverable'))
  expect(since('messagesUndeliverable')).toBe(0)
})

test('a publish reaches own streams at once, in order with sends, in each stream’s own form', async () => {
  const raw = collect('raw')
  const sse = collect('sse')
  for (const { stream } of [raw, sse]) expect(stream.subscribe('room')).toBe(true)
  expect(raw.stream.subscribe('room')).toBe(false)
  raw.stream.send('1')
  expect(manager.publish('room', '2', { event: 'e' })).toBe(2)
  raw.stream.send('3')
  expect(manager.publish('room', '4', { except: sse.stream.uid })).toBe(1)
  await until('all of it', () => raw.text().length === 4)
  expect(raw.text()).toBe('1234')
  expect(sse.text()).toBe('event: e\ndata: 2\n\n')
  raw.stream.close()
  sse.stream.close()
})

test('a text that is sent again after another was published is itself', async () => {
  const [thread] = threads as [TestThread]
  const one = collect('raw')
  const two = collect('raw')
  one.stream.subscribe('t')
  const whom = [one.stream.uid, two.stream.uid, 't', two.stream.uid, one.stream.uid]
  expect(await thread.call('say', whom, ['a', 'a', 'b', 'a', 'a'])).toEqual([
    'queued',
    'queued',
    1,
    'queued',
    'queued',
  ])
  await until('all of it', () => one.text().length + two.text().length === 5)
  expect([one.text(), two.text()]).toEqual(['aba', 'aa'])
  one.stream.close()
  two.stream.close()
})

test('a topic may take 255 bytes, and a text every character', async () => {
  const { stream, text } = collect('raw')
  const topic = `x${'é'.repeat(127)}`
  expect(stream.subscribe(topic)).toBe(true)
  const texts = ['', 'plain', 'a\0b', 'поток — 🚀', '€'.repeat(30_000)]
  for (const one of texts) {
    expect(manager.publish(topic, one)).toBe(1)
    expect(manager.publish(topic, one, { event: 'unused' })).toBe(1)
  }
  const expected = texts.map((one) => one + one).join('')
  await until('all of it', () => text().length >= expected.length)
  expect(text()).toBe(expected)
  stream.close()
})

test('members are listed and counted from any thread, and leave when they unsubscribe or close', async () => {
  const [one, two] = threads as [TestThread, TestThread]
  const uids = await one.call<StreamUid[]>('join', 2, 'listed')
  await one.call('join', 1, 'other')
  const more = await two.call<StreamUid[]>('join', 1, 'listed')
  const listed = (): number =>
    manager.topics().find(({ topic }) => topic === 'listed')?.subscribers ?? 0
  expect(listed()).toBe(3)
  expect(new Set(manager.subscribers('listed'))).toEqual(new Set([...uids, ...more]))
  expect(await one.call('topicsOf', uids[0])).toEqual(['listed'])
  await one.call('destroy', 0)
  await until('the destroyed one has left', () => listed() === 2)
  expect(await two.call('leave', 'listed')).toEqual([true])
  expect(manager.subscribers('listed')).toEqual([uids[1]])
  await one.terminate()
  await until('the thread’s members have left', () => manager.topics().length === 0)
  expect(manager.publish('listed', 'nobody there')).toBe(0)
})

test('a broadcast reaches whom the filter lets through, on every thread', async () => {
  const mine = collect('sse')
  await Promise.all(threads.map((t) => t.call('join', 3, 'x')))
  const message = Buffer.alloc(8)
  expect(manager.broadcast({ kind: 'raw' }, message)).toBe(12)
  expect(manager.broadcast({ kind: 'sse' }, 'you alone')).toBe(1)
  expect(manager.broadcast({ tag: 'nobody' }, 'x')).toBe(0)
  await expectAllSettled()
  await until('this thread’s has it', () => mine.text() === 'data: you alone\n\n')
  for (const thread of threads) {
    expect(await thread.call('totals')).toMatchObject({ received: 3 })
  }
  mine.stream.close()
})

test('publishes to a thread that dies are counted for each member it had', async () => {
  const [dying, stays] = threads as [TestThread, TestThread]
  await dying.call('join', 10, 'all')
  await stays.call('join', 10, 'all')
  for (let i = 0; i < 100; i++) manager.publish('all', Buffer.alloc(8))
  await dying.terminate()
  for (let i = 0; i < 100; i++) manager.publish('all', Buffer.alloc(8))
  await expectAllSettled()
  expect(await stays.call('totals')).toMatchObject({ received: 2000 })
})

describe('what a thread has not delivered of publications that take many turns is counted', () => {
  const ends: [name: string, closesAt?: number][] = [
    ['when it is terminated'],
    ['when it closes its manager in the middle of the first turn', 100],
    ['when it closes its manager in the middle of a later one', 500],
  ]
  test.each(ends)('%s', async (_name, closesAt) => {
    const [thread] = threads as [TestThread]
    await thread.call('join', 1500, 'wide')
    if (closesAt !== undefined) await thread.call('closeAt', closesAt)
    // Too large to be joined.
    for (let i = 0; i < 50; i++) expect(manager.publish('wide', Buffer.alloc(4096))).toBe(1500)
    if (closesAt === undefined) {
      await until('some have it', () => since('messagesDelivered') > 0)
      await thread.terminate()
    }
    await expectAllSettled()
    expect(since('messagesUndeliverable')).toBeGreaterThan(0)
    await until('it has left', () => manager.workers().length === threads.length)
  })
})

test('a large payload goes to a hundred streams of a thread', async () => {
  const [thread] = threads as [TestThread]
  await thread.call('join', 100, 'large')
  // Larger than the memory a batch is carried in.
  expect(manager.publish('large', Buffer.alloc(1_000_000))).toBe(100)
  await expectAllSettled()
  expect(await thread.call('totals')).toMatchObject({ received: 12_500_000 })
})

describe('what is no topic is refused', () => {
  for (const topic of ['', 'x'.repeat(256), 'é'.repeat(128), 5, undefined] as string[]) {
    test(String(topic).slice(0, 10), () => {
      const { stream } = collect('raw')
      for (const call of [
        () => stream.subscribe(topic),
        () => stream.unsubscribe(topic),
        () => manager.publish(topic, 'x'),
        () => manager.subscribers(topic),
      ]) {
        expect(call).toThrow(expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' }))
      }
    })
  }
  test('nor is more than a thread could take, or options that are none', () => {
    const invalid: unknown = expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' })
    expect(() => manager.publish('t', Buffer.alloc((32 << 20) + 1))).toThrow(invalid)
    expect(() => manager.broadcast({}, Buffer.alloc((32 << 20) + 1))).toThrow(invalid)
    expect(() => manager.publish('t', 'x', null as never)).toThrow(invalid)
    expect(() => manager.publish('t', null as never)).toThrow(invalid)
  })
  test('nor is a uid that is none', () => {
    for (const except of [5, -1n, 0n] as never[]) {
      expect(() => manager.publish('t', 'x', { except })).toThrow(
        expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_UID' }),
      )
    }
  })
})
