import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { KeptRooms } from '../../dist/demo/chat/kept-rooms.js'
import { RateLimit } from '../../dist/demo/chat/rate-limit.js'
import { talkOf } from '../../dist/demo/chat/topics.js'
import { StreamManager } from '../../dist/index.js'

afterEach(() => StreamManager.open().close())

it('somebody may say eight things at once, then one each 750 ms', () => {
  const rates = new RateLimit(RateLimit.memory())
  const start = 1_000_000
  const said = (now: number) =>
    Array.from({ length: 20 }, () => rates.take('a', now)).filter(Boolean)
  expect(said(start)).toHaveLength(8)
  expect(said(start + 749)).toHaveLength(0)
  expect(said(start + 750)).toHaveLength(1)
  expect(said(start + 60_000)).toHaveLength(8)
  expect(rates.take('b', start)).toBe(true)
})

it('threads count what one person says together', async () => {
  const memory = RateLimit.memory()
  const url = new URL('../../dist/demo/chat/rate-limit.js', import.meta.url).href
  const script = `import(${JSON.stringify(url)}).then(({ RateLimit }) => {
    const { parentPort, workerData } = require('node:worker_threads')
    const rates = new RateLimit(workerData)
    let taken = 0
    for (let i = 0; i < 1000; i++) if (rates.take('a', 1_000_000)) taken++
    parentPort.postMessage(taken)
  })`
  const threads = Array.from(
    { length: 4 },
    () => new Worker(script, { eval: true, workerData: memory }),
  )
  const counts = await Promise.all(
    threads.map(async (thread) => ((await once(thread, 'message')) as [number])[0]),
  )
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(8)
})

it('what was said in a room is kept until it has been empty for ten minutes', async () => {
  const manager = StreamManager.open()
  const rooms = new KeptRooms(manager)
  rooms.stop()
  expect(rooms.keep('one')).toBe(true)
  manager.publish(talkOf('one'), 'hello')
  // Another thread says the same of it, and nothing is lost.
  expect(new KeptRooms(manager).keep('one')).toBe(true)
  expect(manager.stats()).toMatchObject({ replayTopics: 1, replayEvents: 1 })
  rooms.forgetEmpty(Date.now() + 9 * 60_000)
  expect(manager.stats()).toMatchObject({ replayTopics: 1, replayEvents: 1 })
  rooms.forgetEmpty(Date.now() + 11 * 60_000)
  expect(manager.stats()).toMatchObject({ replayTopics: 0, replayEvents: 0 })
})

it('a further room is refused where no more can be kept', () => {
  const rooms = new KeptRooms(StreamManager.open({ maxReplayBytes: 300 * 1024 }))
  rooms.stop()
  expect([rooms.keep('one'), rooms.keep('two'), rooms.keep('three')]).toEqual([true, true, false])
  expect(rooms.keep('one')).toBe(true)
})
