// HTTP/2 sessions on reactors that have no threads of their own, in the loops of three Node threads.
import type { ClientHttp2Session } from 'node:http2'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { StreamManager, type Listening, type StreamInfo } from '../../dist/index.js'
import { connect, get, type Reading } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const manager = StreamManager.open({ carrier: 'native', reactors: 0 })
const sessions: ClientHttp2Session[] = []
let threads: TestThread[]
let listening: Listening

beforeAll(async () => {
  listening = await manager.listen({ port: 0, host: '127.0.0.1' })
  threads = await TestThread.all(new URL('fixtures/embedded.mjs', import.meta.url), 3)
  await Promise.all(threads.map((thread) => thread.call('worker')))
})
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await until('the streams have gone', () => manager.stats().activeStreams === 0)
})
afterAll(() => manager.close())

function client(): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${listening.port}`)
  sessions.push(session)
  return session
}
const reactors = () => manager.workers().filter(({ kind }) => kind === 'reactor')
const streams = () => [...manager.streams()] as StreamInfo[]

async function readings(count: number, path: string): Promise<Reading[]> {
  const all = await Promise.all(Array.from({ length: count }, () => get(client(), path)))
  await until('they are registered', () => manager.subscribers(path).length === count)
  return all
}
const told = (all: readonly Reading[], text: string) =>
  until(`all read ${text}`, () => all.every((reading) => reading.text().includes(text)))

test('each Node thread has a reactor in its loop, and connections are spread over them', async () => {
  expect(reactors()).toHaveLength(4)
  await readings(12, '/spread')
  const carrying = reactors().filter(({ sockets }) => sockets > 0)
  expect(carrying.length).toBeGreaterThanOrEqual(3)
})

test('a publish of each thread reaches the streams of all reactors, and a send its one', async () => {
  const all = await readings(6, '/all')
  for (const [i, thread] of threads.entries()) {
    expect(await thread.call('publish', '/all', `of ${i}`)).toBe(6)
    await told(all, `data: of ${i}\n\n`)
  }
  const [one] = streams()
  for (const [i, thread] of threads.entries()) {
    expect(await thread.call('send', one!.uid, `only you, ${i}`)).toBe('queued')
  }
  await until('it came', () => all.filter((one) => one.text().includes('only you, 2')).length === 1)
})

test('a thread that is terminated takes its reactor and the sessions on it along, and no others', async () => {
  const all = await readings(8, '/left')
  const before = manager.workers()
  // Each client gets what is sent to its own stream, so that it is known who holds which.
  const holders: number[] = []
  for (const [i, { uid, worker }] of streams().entries()) {
    expect(manager.send(uid, `you are ${i}.`)).toBe('queued')
    holders.push(worker)
  }
  await until('each knows', () => all.every((reading) => /you are \d\./.test(reading.text())))
  const holderOf = (reading: Reading) => holders[Number(/you are (\d)/.exec(reading.text())![1])]
  const [gone] = threads.splice(0, 1)
  await gone!.terminate()
  await until('its reactor has gone', () => reactors().length === 3)
  const left = manager.workers().map(({ id }) => id)
  const lost = before.filter(({ id, kind }) => kind === 'reactor' && !left.includes(id))
  expect(lost).toHaveLength(1)
  const others = all.filter((reading) => holderOf(reading) !== lost[0]!.id)
  const itsOwn = all.filter((reading) => !others.includes(reading))
  expect(itsOwn.length).toBeGreaterThan(0)
  expect(others.length).toBeGreaterThan(0)
  await until('its streams have', () => itsOwn.every((reading) => reading.closed()))
  expect(manager.publish('/left', 'still here')).toBe(others.length)
  await told(others, 'data: still here\n\n')
  expect(others.map((reading) => reading.closed())).toEqual(others.map(() => false))
})
