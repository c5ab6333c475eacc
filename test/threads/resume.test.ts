import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { StreamManager, type Listening, type ReplayOptions } from '../../dist/index.js'
import { ReturningClient } from '../helpers/returning-client.mjs'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const script = new URL('fixtures/resume.mjs', import.meta.url)
const kThreads = 4
const kEach = 1500
const manager = StreamManager.open()
let listening: Listening
let threads: TestThread[] = []
let clients: ReturningClient[] = []

beforeAll(async () => {
  listening = await manager.listen({ host: '127.0.0.1' })
})
beforeEach(async () => {
  threads = await TestThread.all(script, kThreads)
  await Promise.all(threads.map((thread) => thread.call('accept')))
})
afterEach(async () => {
  await Promise.all(clients.map((client) => client.leave()))
  clients = []
  await Promise.all(threads.map((thread) => thread.terminate()))
  await until('they have gone', () => manager.workers().length === 1)
})
afterAll(async () => {
  listening.close()
  await manager.close()
})

/** Clients come back again and again, to whichever thread, while all threads publish. */
async function comeAndGo(replay: ReplayOptions): Promise<void> {
  manager.setTopic('feed', { replay: false })
  manager.setTopic('feed', { replay })
  clients = Array.from({ length: 12 }, () => new ReturningClient(listening.port))
  await Promise.all(clients.map((client) => client.connect()))
  let publishing = true
  const published = Promise.all(threads.map((thread) => thread.call('publish', kEach))).then(
    () => (publishing = false),
  )
  await Promise.all(
    clients.map(async (client, index) => {
      while (publishing) {
        const { received } = client
        await until('some more', () => !publishing || client.received > received + 5 * index)
        await client.comeBack()
      }
    }),
  )
  await published
  // So that who was cut off at the very end has something to tell of it.
  const all = (await returnOnce()).last
  await until('the last one', () => clients.every(({ last }) => last === all))
}

/** The number of the last message, as a client that is there sees it. */
async function returnOnce(): Promise<ReturningClient> {
  const watcher = new ReturningClient(listening.port)
  clients.push(watcher)
  await watcher.connect()
  manager.publish('feed', 'the last one')
  await until('it', () => watcher.received === 1)
  return watcher
}

const sum = (
  name: 'received' | 'returns' | 'missed' | 'grown' | 'twice' | 'gaps' | 'idleGaps',
): number => clients.reduce((all, client) => all + client[name], 0)

test('clients that come back to any thread miss nothing and get nothing twice', async () => {
  const before = manager.stats()
  await comeAndGo({ events: 10_000, bytes: 4 << 20 })
  const returning = clients.slice(0, -1)
  expect(returning.map(({ received }) => received)).toEqual(
    returning.map(() => kThreads * kEach + 1),
  )
  expect(sum('missed')).toBe(0)
  expect(sum('twice')).toBe(0)
  expect(sum('gaps')).toBe(0)
  expect(sum('returns')).toBeGreaterThan(clients.length)
  expect(manager.stats().messagesReplayed).toBeGreaterThan(before.messagesReplayed)
  expect(new Set(clients.flatMap((client) => [...client.threads])).size).toBe(kThreads)
})

test('where too little is kept, each hole has one gap mark, and nothing else has', async () => {
  const before = manager.stats()
  await comeAndGo({ events: 5 })
  expect(sum('missed')).toBe(0)
  expect(sum('twice')).toBe(0)
  expect(sum('idleGaps')).toBe(0)
  expect(sum('gaps')).toBeGreaterThan(0)
  // One that left before it came is no client's.
  expect(sum('gaps')).toBeLessThanOrEqual(manager.stats().replayGaps - before.replayGaps)
})

test('where nobody publishes meanwhile, what is kept begins right behind the gap mark', async () => {
  await comeAndGo({ events: 5 })
  const before = { gaps: sum('gaps'), grown: sum('grown'), received: sum('received') }
  const all = clients[0]!.last
  await Promise.all(clients.map((client) => client.leave()))
  for (let i = 0; i < 20; i++) manager.publish('feed', `missed ${i}`)
  await Promise.all(clients.map((client) => client.comeBack()))
  await until('the last one', () => clients.every(({ last }) => last === all + 20))
  expect(sum('received')).toBe(before.received + 5 * clients.length)
  expect(sum('gaps')).toBe(before.gaps + clients.length)
  expect(sum('grown')).toBe(before.grown)
  expect([sum('missed'), sum('twice'), sum('idleGaps')]).toEqual([0, 0, 0])
})
