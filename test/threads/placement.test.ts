import { connect as connectTcp } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { StreamManager, type Listening, type StreamUid } from '../../dist/index.js'
import { openSockets } from '../helpers/fds.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'
import { connect, disconnect, type Client } from './clients.js'

const script = new URL('fixtures/server.mjs', import.meta.url)
const kConnections = 400
const manager = StreamManager.open()
let listening: Listening
let threads: TestThread[] = []
let clients: Client[] = []
let socketsBefore = 0

beforeAll(async () => {
  listening = await manager.listen({ host: '127.0.0.1' })
  socketsBefore = openSockets()
})

beforeEach(async () => {
  threads = await TestThread.all(script, 4)
  await Promise.all(threads.map((thread) => thread.call('accept')))
})

// Each test also shows that no descriptor and no stream stays behind.
afterEach(async () => {
  await disconnect(clients)
  clients = []
  await until('no stream is left', () => manager.stats().activeStreams === 0)
  await Promise.all(threads.map((thread) => thread.terminate()))
  await until('the descriptors are as many as before', () => openSockets() === socketsBefore)
})

afterAll(async () => {
  listening.close()
  await manager.close()
})

/** Connections of each accepting thread. */
function counts(): number[] {
  return manager
    .workers()
    .filter(({ accepting }) => accepting)
    .map(({ connections }) => connections)
}

function expectBalanced(total: number, threadCount: number): void {
  const each = counts()
  expect(each).toHaveLength(threadCount)
  expect(each.reduce((sum, one) => sum + one)).toBe(total)
  expect(Math.max(...each) / Math.min(...each), `loads ${each.join(' ')}`).toBeLessThanOrEqual(1.1)
}

function connectMany(count: number): Client[] {
  const made = Array.from({ length: count }, () => connect(listening.port))
  clients.push(...made)
  return made
}

const served = (some: readonly Client[]): Promise<number[]> =>
  Promise.all(some.map(({ worker }) => worker))

describe('400 connections on 4 threads', () => {
  test('are spread evenly when they arrive one by one', async () => {
    for (let i = 0; i < kConnections; i++) await served(connectMany(1))
    expectBalanced(kConnections, 4)
  })

  test('are spread evenly when they arrive in one burst', async () => {
    const workers = await served(connectMany(kConnections))
    expectBalanced(kConnections, 4)
    // What the threads themselves say agrees with what the manager counts.
    const told = [...new Set(workers)].map(
      (number) => workers.filter((one) => one === number).length,
    )
    expect(told.sort()).toEqual(counts().sort())
  })

  test('are spread evenly while one thread is blocked, and all are served', async () => {
    const blocked = threads[2]!.call('block', 1000)
    const workers = served(connectMany(kConnections))
    await blocked
    expect(await workers).not.toContain(-1)
    expectBalanced(kConnections, 4)
  })

  test('are spread over those that are left when a thread dies, and the others go on', async () => {
    const workers = await served(connectMany(kConnections))
    const dying = threads[1]!
    const number = await dying.call<number>('worker')
    const uids = await dying.call<StreamUid[]>('uids')
    const exits: { worker: number; streams: number }[] = []
    const told = (exit: { worker: number; streams: number }): number => exits.push(exit)
    manager.on('workerExit', told)
    await dying.terminate()
    await until('workerExit', () => exits.length > 0)
    manager.off('workerExit', told)
    expect(exits).toEqual([{ worker: number, streams: uids.length }])

    for (const uid of uids) {
      expect(manager.has(uid)).toBe(false)
      expect(manager.send(uid, 'late')).toBe('gone')
    }
    // Its clients see the end; the others see nothing but their messages.
    await until('its clients are closed', () =>
      clients.every(({ closed }, i) => closed === (workers[i] === number)),
    )
    const others = clients.filter((_, i) => workers[i] !== number)
    for (const { uid } of manager.streams()) expect(manager.send(uid, 'go on')).toBe('queued')
    await until('the others get their messages', () =>
      others.every(({ text }) => text.includes('data: go on\n\n')),
    )

    const share = await served(connectMany(100))
    expect(share).not.toContain(-1)
    expect(share).not.toContain(number)
    expectBalanced(others.length + 100, 3)
  })
})

test('connections in flight to a dying thread are served by another or closed', async () => {
  // It takes none of what is placed on it, until it is terminated.
  threads[3]!.call('block', 60_000).catch(() => {})
  const some = connectMany(kConnections)
  await until('its share waits', () => counts().every((one) => one === kConnections / 4))
  await threads[3]!.terminate()
  const workers = await served(some)
  expect(workers).not.toContain(-1)
  expect(manager.stats().connectionsReturned).toBeGreaterThan(0)
  expectBalanced(kConnections, 3)
})

test('connections in flight to a server that closes are served by another thread', async () => {
  const before = manager.stats().connectionsReturned
  const stopped = threads[0]!.call('blockAndStop', 500)
  const some = connectMany(100)
  await until('its share waits', () => counts().every((one) => one === 25))
  await stopped
  expect(await served(some)).not.toContain(-1)
  expect(manager.stats().connectionsReturned - before).toBe(25)
  expectBalanced(100, 3)
})

test('connections in flight are closed when nobody is left to take them', async () => {
  await Promise.all(threads.slice(1).map((thread) => thread.terminate()))
  threads[0]!.call('block', 60_000).catch(() => {})
  const sockets = Array.from({ length: 20 }, () => connectTcp(listening.port, '127.0.0.1'))
  // Not `once()`, which a reset would reject.
  const closes = sockets.map(
    (socket) =>
      new Promise((resolve) =>
        socket
          .on('error', () => {})
          .resume()
          .on('close', resolve),
      ),
  )
  await until('they wait', () => counts()[0] === 20)
  await threads[0]!.terminate()
  await Promise.all(closes)
  expect(manager.stats().connectionsDropped).toBe(20)
})

test('threads that come and go while connections arrive leave no client waiting', async () => {
  for (let round = 0; round < 6; round++) {
    const some = connectMany(60)
    const [leaving] = threads.splice(round % threads.length, 1)
    const [next] = await Promise.all([TestThread.start(script), leaving!.terminate()])
    await next.call('accept')
    threads.push(next)
    // Answered by a thread, or closed with one; a client left waiting would run into the deadline.
    await served(some)
  }
})
