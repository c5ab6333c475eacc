import { afterEach, beforeEach, expect, test } from 'vitest'
import { StreamManager, type Stats, type StreamUid } from '../../dist/index.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const script = new URL('fixtures/exchange.mjs', import.meta.url)
const manager = StreamManager.open()
let threads: TestThread[] = []
let before: Stats

beforeEach(async () => {
  before = manager.stats()
  threads = await TestThread.all(script, 4)
  await Promise.all(threads.map((thread) => thread.call('uid')))
})
afterEach(async () => {
  await Promise.all(threads.map((thread) => thread.terminate()))
  await until('they have gone', () => manager.workers().length === 1)
})

const since = (
  name:
    | 'messagesSent'
    | 'messagesQueued'
    | 'messagesDelivered'
    | 'messagesFull'
    | 'messagesUndeliverable',
): number => manager.stats()[name] - before[name]
const uidOf = (thread: TestThread): Promise<StreamUid> => thread.call('uid')

/** Every message taken for another thread was delivered, or is counted as lost with its stream. */
function expectAllSettled(): Promise<void> {
  return until(
    'every message is accounted for',
    () => since('messagesQueued') === since('messagesDelivered') + since('messagesUndeliverable'),
  )
}

test('messages between all threads at once arrive, each once and in its sender’s order', async () => {
  const count = 20_000
  const uids = await Promise.all(threads.map(uidOf))
  await Promise.all(threads.map((thread) => thread.call('sendAll', uids, count)))
  for (const thread of threads) {
    let latest = { received: 0, outOfOrder: 0 }
    await until('all messages', async () => {
      latest = await thread.call('received')
      return latest.received >= count * threads.length
    })
    expect(latest).toEqual({ received: count * threads.length, outOfOrder: 0 })
  }
  expect(since('messagesSent')).toBe(count * threads.length)
  expect(since('messagesQueued')).toBe(count * threads.length * (threads.length - 1))
  expect(since('messagesDelivered')).toBe(since('messagesQueued'))
  expect(since('messagesUndeliverable')).toBe(0)
})

test('a blocked thread makes its senders hear full, and nothing taken is lost', async () => {
  const [blocked, sender] = threads as [TestThread, TestThread]
  const uid = await uidOf(blocked)
  const blocking = blocked.call('block', 1000)
  const full = await sender.call<number>('sendAll', [uid], 200_000)
  await blocking
  expect(full).toBeGreaterThan(0)
  expect(since('messagesFull')).toBe(full)
  await until('all messages', async () => {
    const { received } = await blocked.call<{ received: number }>('received')
    return received === 200_000
  })
  expect(await blocked.call('received')).toEqual({ received: 200_000, outOfOrder: 0 })
})

test('the mailbox of a blocked thread holds at most 64 MiB, whoever sends to how many streams', async () => {
  const [blocked] = threads as [TestThread]
  const uids = await blocked.call<StreamUid[]>('register', 200)
  const number = await blocked.call<number>('worker')
  const blocking = blocked.call('block', 1500)
  const message = Buffer.alloc(500_000)
  let queued = 0
  let full = 0
  // 200 streams of a budget of 1 MiB each would take three times as much as the mailbox.
  for (const uid of uids) {
    for (let i = 0; i < 2; i++)
      if (manager.send(uid, message) === 'queued') queued++
      else full++
  }
  const { mailboxBytes } = manager.workers().find(({ id }) => id === number)!
  expect(mailboxBytes).toBeGreaterThan(60 * 2 ** 20)
  expect(mailboxBytes).toBeLessThanOrEqual(64 * 2 ** 20)
  expect(full).toBeGreaterThan(0)
  await blocking
  await until('the mailbox is empty', () =>
    manager.workers().some(({ id, mailboxBytes }) => id === number && mailboxBytes === 0),
  )
  expect(since('messagesQueued')).toBe(queued)
  expect(since('messagesFull')).toBe(full)
  expect(since('messagesDelivered')).toBe(queued)
  expect(manager.send(uids.at(-1)!, message)).toBe('queued')
})

test('mail of a thread that is terminated is counted as undeliverable, and its uids stay gone', async () => {
  const [dying, sender, other] = threads as [TestThread, TestThread, TestThread]
  const number = await dying.call<number>('worker')
  const old = [await uidOf(dying), ...(await dying.call<StreamUid[]>('register', 50))]
  dying.call('block', 60_000).catch(() => {})
  for (const uid of old) expect(manager.send(uid, 'never read')).toBe('queued')
  await sender.call('sendAll', old, 100)
  const fromOthers = Promise.all([other, sender].map((one) => one.call('sendAll', old, 1000)))
  await dying.terminate()
  await fromOthers
  await expectAllSettled()
  expect(since('messagesUndeliverable')).toBeGreaterThanOrEqual(old.length * 101)

  // The number goes to the next thread that opens, its uids to nobody.
  const next = await TestThread.start(script)
  threads.push(next)
  const fresh = [await uidOf(next), ...(await next.call<StreamUid[]>('register', 50))]
  expect(await next.call('worker')).toBe(number)
  expect(fresh.filter((uid) => old.includes(uid))).toEqual([])
  for (const uid of old) {
    expect(manager.has(uid)).toBe(false)
    expect(manager.send(uid, 'late')).toBe('gone')
  }
  for (const uid of fresh) expect(manager.send(uid, 'here')).toBe('queued')
})

test('a thread that opens with another value is refused, one with the same joins', async () => {
  const [thread] = threads as [TestThread]
  const number = await thread.call<number>('worker')
  expect(await thread.call('open', {})).toBe(number)
  expect(await thread.call('open', { sendBudgetBytes: 2 ** 20 })).toBe(number)
  await expect(thread.call('open', { sendBudgetBytes: 2 ** 21 })).rejects.toThrow(
    'ERR_HOLDFAST_OPTIONS_MISMATCH',
  )
  // The same for one that is not yet a worker.
  const late = await TestThread.start(new URL('fixtures/opener.mjs', import.meta.url))
  threads.push(late)
  await expect(late.call('open', { maxAgeMs: 1000 })).rejects.toThrow(
    'ERR_HOLDFAST_OPTIONS_MISMATCH',
  )
  expect(manager.workers()).toHaveLength(5)
  await late.call('open', { maxAgeMs: 0 })
  expect(manager.workers()).toHaveLength(6)
})
