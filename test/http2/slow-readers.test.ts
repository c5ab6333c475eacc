import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  formatUid,
  StreamManager,
  type ManagedStream,
  type SseOptions,
  type StreamClose,
} from '../../dist/index.js'
import { isNative, taken } from '../helpers/carrier.js'
import { connect } from '../helpers/client.js'
import { serveStreams, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

const kBudget = 128 << 10
const kMessage = 4000
const kWindow = 16_384
let server: TestServer
let session: ClientHttp2Session
let options: SseOptions = {}
let streams: ManagedStream[] = []

beforeEach(async () => {
  streams = []
  server = await serveStreams(
    (stream) => streams.push(StreamManager.open().sse(stream, options).detach()),
    { sendBudgetBytes: kBudget, maxQueuedBytes: 4 << 20 },
  )
  // A window far below the budget, so that all that is too much waits at the server.
  session = connect(server.url, { settings: { initialWindowSize: kWindow } })
})
afterEach(async () => {
  session.destroy()
  await server.close()
})

/** A reader that reads nothing until it is told to; then what it has is in `text`. */
async function open(sse: SseOptions = {}): Promise<{
  stream: ManagedStream
  request: ClientHttp2Stream
  read: () => void
  text: () => string
}> {
  options = sse
  const request = session.request({ ':path': '/' })
  request.on('error', () => {})
  await once(request, 'response')
  const stream = streams.at(-1)!
  let text = ''
  const read = (): void => void request.setEncoding('utf8').on('data', (part) => (text += part))
  return { stream, request, read, text: () => text }
}

const message = (number: number): string => `${number} ${'x'.repeat(kMessage)}`
const numbersIn = (text: string): number[] =>
  [...text.matchAll(/data: (\d+) x+\n/g)].map(([, number]) => Number(number))
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What `send` answered: how often each, and to which numbers that it took them. */
interface Answers {
  counts: Record<string, number>
  took: number[]
}

/** Sends so many numbered messages, some a turn. */
async function sendMany({ stream }: { stream: ManagedStream }, count: number): Promise<Answers> {
  const answers: Answers = { counts: {}, took: [] }
  const { counts, took } = answers
  for (let i = 0; i < count; i++) {
    const result = stream.send(message(i))
    counts[result] = (counts[result] ?? 0) + 1
    if (result === 'sent' || result === 'queued') took.push(i)
    if (i % 4 > 0) continue
    await turn()
    // As much again may be on its way to a reactor, which is another thread.
    if (isNative) await until('it has arrived', () => stream.queuedBytes <= kBudget)
  }
  return answers
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('drop: what is too much is refused, and what was taken arrives', async () => {
  const before = server.manager.stats().overBudget
  const reader = await open()
  const { counts, took } = await sendMany(reader, 200)
  expect(counts).toEqual({ [taken]: took.length, full: 200 - took.length })
  expect(server.manager.stats().overBudget.drop).toBe(before.drop + counts['full']!)
  const bytes = took.reduce((sum, i) => sum + `data: ${message(i)}\n\n`.length, 0)
  if (isNative) {
    // Its window takes some when the reactor comes to it, maybe behind a refusal: there is room again.
    await until('its window is full', () => reader.stream.queuedBytes === bytes - kWindow)
    expect(bytes).toBeGreaterThan(kBudget - 2 * kMessage)
  } else {
    expect(took).toEqual(upTo(took.length))
    expect(reader.stream.queuedBytes).toBeGreaterThan(kBudget - 2 * kMessage)
  }
  expect(reader.stream.queuedBytes).toBeLessThanOrEqual(kBudget)
  reader.read()
  await until('all that was taken', () => numbersIn(reader.text()).length === took.length)
  expect(numbersIn(reader.text())).toEqual(took)
})

test('drop with onGap: one mark where messages are missing, and then what came after', async () => {
  let gaps = 0
  const onGap = (): { data: string; options: { event: string } } => {
    gaps++
    return { data: 'some are missing', options: { event: 'gap' } }
  }
  const reader = await open({ onGap })
  const { counts, took } = await sendMany(reader, 100)
  // From the first refusal to the mark it takes nothing.
  expect(took).toEqual(upTo(took.length))
  expect(counts).toEqual({ [taken]: took.length, full: 100 - took.length })
  expect(gaps).toBe(0)
  reader.read()
  await until('it is asked for the mark', () => gaps === 1)
  const takesAgain = (): boolean => reader.stream.send(message(999)) === taken
  if (isNative) await until('the mark has arrived at the reactor', takesAgain)
  else expect(takesAgain()).toBe(true)
  await until('the last', () => numbersIn(reader.text()).includes(999))
  const parts = reader.text().split('event: gap\ndata: some are missing\n\n')
  expect(parts.map(numbersIn)).toEqual([took, [999]])
  expect(gaps).toBe(1)
})

test('a text that one stream refuses does not go to the next in place of its own', async () => {
  const slow = await open()
  const quick = await open()
  quick.read()
  const { took } = await sendMany(slow, 100)
  // What its window lets through has left: there will be no more room.
  const bytes = took.reduce((sum, i) => sum + `data: ${message(i)}\n\n`.length, 0)
  const left = (): number => bytes - slow.stream.queuedBytes
  if (isNative) await until('its window is full', () => left() === kWindow)
  await until('it is full', () => slow.stream.send(message(0)) === 'full')
  const answers = [
    quick.stream.send('of a loop'),
    slow.stream.send(message(1)),
    quick.stream.send('of a loop'),
    quick.stream.send('another'),
    quick.stream.send('of a loop'),
  ]
  expect(answers).toEqual([taken, 'full', taken, taken, taken])
  await until('the last', () => quick.text().split('\n\n').length > 4)
  expect(quick.text()).toBe(
    'data: of a loop\n\ndata: of a loop\n\ndata: another\n\ndata: of a loop\n\n',
  )
})

test('drop-oldest: every message is taken, the newest arrive, and the dropped are counted', async () => {
  const before = server.manager.stats()
  let gaps = 0
  const reader = await open({
    onSlow: 'drop-oldest',
    onGap() {
      gaps++
      return { data: 'gap' }
    },
  })
  const { took } = await sendMany(reader, 300)
  expect(took).toEqual(upTo(300))
  if (isNative) await until('the oldest are dropped', () => reader.stream.queuedBytes <= kBudget)
  expect(reader.stream.queuedBytes).toBeLessThanOrEqual(kBudget)
  reader.read()
  await until('the newest', () => numbersIn(reader.text()).at(-1) === 299)
  const numbers = numbersIn(reader.text())
  const dropped = server.manager.stats().messagesDropped - before.messagesDropped
  expect(numbers.length + dropped).toBe(300)
  expect(server.manager.stats().overBudget['drop-oldest']).toBe(
    before.overBudget['drop-oldest'] + dropped,
  )
  expect(dropped).toBeGreaterThan(100)
  // A mark wherever some are missing, and nowhere else. A reactor may have begun to drop before the
  // first had left.
  const parts = reader.text().split('data: gap\n\n').map(numbersIn)
  expect(parts).toHaveLength(gaps + 1)
  expect(gaps).toBeGreaterThan(0)
  if (!isNative) expect(gaps).toBe(1)
  for (const [i, part] of parts.entries()) {
    const begin = part[0]!
    expect(part).toEqual(part.map((_, at) => begin + at))
    if (i === 0) expect(begin).toBe(0)
    else expect(begin).toBeGreaterThan(parts[i - 1]!.at(-1)! + 1)
  }
})

for (const onSlow of ['drop-oldest', 'latest'] as const) {
  test(`${onSlow}: one mark tells of all that is refused while it waits`, async () => {
    let gaps = 0
    const reader = await open({
      onSlow,
      onGap() {
        gaps++
        return { data: 'gap' }
      },
    })
    // More than its window, and less than what its carrier is handed at once.
    expect(reader.stream.send('x'.repeat(15_000))).toBe(taken)
    await until('it has left', () => reader.stream.queuedBytes === 0)
    expect(reader.stream.send('x'.repeat(5000))).toBe(taken)
    for (let i = 0; i < 5; i++) {
      expect(reader.stream.send('x'.repeat(kBudget + 1))).toBe('full')
      await until('it is asked for a mark', () => gaps > 0)
      await turn()
    }
    const { messagesDelivered } = server.manager.stats()
    expect(reader.stream.send('last')).toBe(taken)
    // Or what was refused might come to a reactor when the mark has left.
    const arrived = (): boolean => server.manager.stats().messagesDelivered > messagesDelivered
    if (isNative) await until('it has arrived', arrived)
    reader.read()
    await until('the last', () => reader.text().includes('data: last'))
    expect(reader.text().replaceAll('x', '')).toBe(
      'data: \n\ndata: \n\ndata: gap\n\ndata: last\n\n',
    )
    expect(gaps).toBe(1)
    // That one has left: what is refused now is another gap.
    await until('nothing waits', () => reader.stream.queuedBytes === 0)
    expect(reader.stream.send('x'.repeat(kBudget + 1))).toBe('full')
    await until('the next mark', () => reader.text().endsWith('data: gap\n\n'))
    expect(gaps).toBe(2)
  })
}

test('latest: of what waits, the last of each key arrives', async () => {
  const before = server.manager.stats().messagesDropped
  const reader = await open({ onSlow: 'latest' })
  // More than its window and what its carrier is handed, so that all behind it waits.
  reader.stream.send('x'.repeat(100_000))
  await turn()
  for (let i = 0; i < 100; i++) reader.stream.send(`price ${i}`, { key: `item ${i % 3}` })
  // Or the room that reading makes might come to a reactor before they do.
  await until('the others are dropped', () => server.manager.stats().messagesDropped >= before + 97)
  reader.read()
  await until('the last', () => reader.text().includes('price 99'))
  expect(reader.text().match(/price \d+/g)).toEqual(['price 97', 'price 98', 'price 99'])
})

test('disconnect: a reader that is over the budget is reset with ENHANCE_YOUR_CALM', async () => {
  const reader = await open({ onSlow: 'disconnect' })
  let close: StreamClose | undefined
  reader.stream.on('close', (told) => (close = told))
  const { counts, took } = await sendMany(reader, 200)
  expect(took.length).toBeGreaterThan(10)
  expect(took).toEqual(upTo(took.length))
  expect(counts).toEqual({ [taken]: took.length, full: 1, gone: 199 - took.length })
  expect(server.manager.stats().overBudget.disconnect).toBe(1)
  await until('it is closed', () => close)
  expect(close).toEqual({ reason: 'slow', code: 11, text: 'slow reader' })
  await until('its client knows', () => reader.request.closed)
  expect(reader.request.rstCode).toBe(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)
  expect(server.manager.stats().closed.slow).toBeGreaterThan(0)
})

for (const onSlow of ['drop', 'drop-oldest'] as const) {
  test(`${onSlow}: slow and drain are told in turn, and statistics name the slow one`, async () => {
    const reader = await open({ onSlow })
    const quick = await open()
    quick.read()
    const events: string[] = []
    reader.stream.on('slow', () => events.push('slow'))
    reader.stream.on('drain', () => events.push('drain'))
    await sendMany(reader, 100)
    quick.stream.send('hello')
    if (isNative) await until('it is told', () => events.length > 0)
    expect(events).toEqual(['slow'])
    expect(() => JSON.stringify(server.manager.stats())).not.toThrow()
    expect(server.manager.stats().slowest).toEqual([
      { uid: formatUid(reader.stream.uid), queuedBytes: reader.stream.queuedBytes },
    ])
    reader.read()
    await until('it has caught up', () => events.length === 2)
    expect(events).toEqual(['slow', 'drain'])
    expect(server.manager.stats().slowest).toEqual([])
  })
}

test('a stream that what stands for a gap makes slow is told so before it drains', async () => {
  const data = 'x'.repeat(kBudget * 0.75)
  const reader = await open({ onGap: () => ({ data }) })
  const events: string[] = []
  reader.stream.on('slow', () => events.push('slow'))
  reader.stream.on('drain', () => events.push('drain'))
  server.manager.setTopic('kept', { replay: {} })
  // The id is of another process.
  expect(reader.stream.subscribe('kept', { after: '0000000000000000-1' })).toBe(true)
  reader.read()
  await until('it has drained', () => events.includes('drain'))
  expect(events).toEqual(['slow', 'drain'])
  await until('all has come', () => reader.text().includes(data))
})

for (const by of ['send', 'publish'] as const) {
  test(`latest: slow is told when ${by} puts a message in the place of another, and drain behind the last`, async () => {
    const reader = await open({ onSlow: 'latest' })
    const events: string[] = []
    reader.stream.on('slow', () => events.push('slow'))
    let waiting = 0
    reader.stream.on('drain', () => {
      events.push('drain')
      waiting = reader.stream.queuedBytes
    })
    reader.stream.subscribe('prices')
    const say = (text: string, key: string): void => {
      if (by === 'send') reader.stream.send(text, { key })
      else server.manager.publish('prices', text, { key })
    }
    // Its window and what its carrier is handed, which is far below half its budget.
    reader.stream.send('x'.repeat(15_000))
    await until('it has left', () => reader.stream.queuedBytes === 0)
    reader.stream.send('x'.repeat(20_000))
    say('price 0', 'price')
    say('another', 'another')
    await turn()
    expect(events).toEqual([])
    for (let i = 1; i < 10; i++) {
      say(`price ${i}`, 'price')
      await turn()
    }
    await until('it is told', () => events.length > 0)
    expect(events).toEqual(['slow'])
    reader.read()
    await until('it has caught up', () => events.length === 2)
    expect(events).toEqual(['slow', 'drain'])
    // On a reactor the last of it may have been handed over and not yet left.
    expect(waiting).toBeLessThanOrEqual(isNative ? kBudget / 4 : 0)
    await until('all has come', () => /another\n\ndata: price 9\n\n$/.test(reader.text()))
  })
}

test('what a listener to slow sends comes behind what was published before it', async () => {
  const reader = await open()
  const other = await open()
  other.read()
  for (const { stream } of [reader, other]) stream.subscribe('news')
  reader.stream.on('slow', () => other.stream.send('after'))
  server.manager.publish('news', `before ${'x'.repeat(kBudget * 0.7)}`)
  await until('both', () => other.text().includes('after') && other.text().includes('before'))
  expect(other.text().indexOf('before')).toBeLessThan(other.text().indexOf('after'))
})

for (const closes of ['stream', 'uid'] as const) {
  test(`drop-oldest: a close by ${closes} comes behind all that was taken before it`, async () => {
    const reader = await open({ onSlow: 'drop-oldest' })
    const { stream, request } = reader
    let close: StreamClose | undefined
    stream.on('close', (told) => (close = told))
    const count = 28
    expect((await sendMany(reader, count)).took).toEqual(upTo(count))
    if (closes === 'stream') stream.close()
    else server.manager.close(stream.uid)
    expect(stream.send('too late')).toBe('gone')
    await turn()
    expect(stream.live).toBe(true)
    reader.read()
    await once(request, 'end')
    expect(numbersIn(reader.text())).toEqual(upTo(count))
    expect(request.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR)
    await until('it is closed', () => close)
    expect(close).toMatchObject({ reason: 'close', code: 0 })
  })
}

test('hundreds of readers that never read hold no more than maxQueuedBytes, and others go on', async () => {
  const readers = []
  for (let i = 0; i < 200; i++) readers.push(await open())
  const quick = await open()
  quick.read()
  const half = 'x'.repeat(kBudget / 2)
  let full = 0
  for (const { stream } of readers) if (stream.send(half) === 'full') full++
  expect(full).toBeGreaterThan(100)
  expect(server.manager.stats().queuedBytes).toBeLessThanOrEqual(4 << 20)
  expect(quick.stream.send('still here')).toBe(taken)
  await until('it arrives', () => quick.text().includes('still here'))
  session.destroy()
  await until('all is given back', () => server.manager.stats().activeStreams === 0)
  expect(server.manager.stats().queuedBytes).toBeLessThan(128 << 10)
})

test('what is published to many streams is counted until each reader took it', async () => {
  const marks: string[] = []
  const onGap = (): { data: string } => ({ data: `mark ${marks.push('')}` })
  const readers: Awaited<ReturnType<typeof open>>[] = []
  for (let i = 0; i < 20; i++) readers.push(await open({ onGap }))
  const [first, ...others] = readers
  for (const { stream } of readers) stream.subscribe('many')
  // Behind this, what is published is too much for a reader that does not read.
  const before = 'b'.repeat(kWindow - 2000)
  expect(first!.stream.send(before)).toBe(taken)
  await until('it has left', () => first!.stream.queuedBytes === 0)
  const published = 'x'.repeat(3000)
  expect(server.manager.publish('many', published)).toBe(20)
  // By a reactor, which is another thread.
  await until('it is counted', () => first!.stream.queuedBytes > 0)
  for (const { read } of others) read()
  const emptied = (): boolean => others.every(({ stream }) => stream.queuedBytes === 0)
  await until('the others have it', emptied)
  expect(first!.stream.queuedBytes).toBeGreaterThan(0)
  // What is refused meanwhile is told of behind it.
  expect(first!.stream.send('y'.repeat(kBudget))).toBe('full')
  expect(marks).toEqual([])
  first!.read()
  await until('the mark', () => first!.text().includes('mark 1'))
  expect(first!.text()).toBe(`data: ${before}\n\ndata: ${published}\n\ndata: mark 1\n\n`)
  await until('nothing waits', () => first!.stream.queuedBytes === 0)
  // And the order is kept where more follows at once.
  expect(server.manager.publish('many', published)).toBe(20)
  for (const { stream } of readers) expect(stream.send('last')).toBe(taken)
  const all = (): boolean => readers.every(({ text }) => text().endsWith('data: last\n\n'))
  await until('the last', all)
  expect(others.map(({ text }) => text())).toEqual(
    others.map(() => `data: ${published}\n\n`.repeat(2) + 'data: last\n\n'),
  )
  await until('all is given back', () => readers.every(({ stream }) => stream.queuedBytes === 0))
})

test('what a mark makes its stream publish comes to no other before that one has its own mark', async () => {
  let marks = 0
  const onGap = (): { data: string } => {
    if (marks++ === 0) server.manager.publish('many', 'behind a mark')
    return { data: 'a mark' }
  }
  const readers: Awaited<ReturnType<typeof open>>[] = []
  for (let i = 0; i < 20; i++) readers.push(await open({ onGap }))
  for (const { stream, read } of readers) {
    stream.subscribe('many')
    read()
  }
  expect(server.manager.publish('many', 'first')).toBe(20)
  expect(server.manager.publish('many', 'y'.repeat(kBudget))).toBe(20)
  await until('all have it', () => readers.every(({ text }) => text().includes('a mark')))
  // But for the one that published it, all in its own way between the two.
  const others = readers.filter(({ text }) => !/^data: first\n\ndata: a mark\n\n/.test(text()))
  expect(others.length).toBeLessThanOrEqual(1)
})

test('what is no policy is refused', () => {
  const invalid: unknown = expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_OPTION' })
  for (const bad of [{ onSlow: 'never' }, { onGap: 5 }] as unknown as SseOptions[]) {
    expect(() => server.manager.register(new PassThrough(), bad)).toThrow(invalid)
  }
  expect(() => StreamManager.open({ onSlow: 'never' as never })).toThrow(invalid)
})
