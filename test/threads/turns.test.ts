import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StreamManager, type ManagedStream } from '../../dist/index.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const script = new URL('fixtures/publish.mjs', import.meta.url)
const kStreams = 1500
const manager = StreamManager.open()
let thread: TestThread
let streams: ManagedStream[] = []
/** Turns of this thread's loop; and in which a stream was written to. */
let turn = 0
let written: number[] = []

beforeEach(async () => {
  thread = (await TestThread.all(script, 1))[0]!
  written = []
  streams = Array.from({ length: kStreams }, () => {
    const target = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        written.push(turn)
        done()
      },
      final(done) {
        this.push(null)
        done()
      },
    })
    return manager.register(target.resume(), { kind: 'raw' })
  })
  for (const stream of streams) stream.subscribe('wide')
})
afterEach(async () => {
  for (const stream of streams) stream.close()
  await thread.terminate()
  await until('they have gone', () => manager.stats().activeStreams === 0)
})

/** In how many turns of a loop each of which also has `other` to do. */
async function turnsOfAPublication(other: () => void): Promise<number> {
  let counting = true
  const count = (): void => {
    turn++
    other()
    if (counting) setImmediate(count)
  }
  setImmediate(count)
  expect(await thread.call<number>('publish', 'wide', 'x')).toBe(kStreams)
  await until('all have it', () => written.length === kStreams)
  counting = false
  return new Set(written).size
}

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end) continue
}

describe('a publication to many streams', () => {
  test('goes on over several turns of the loop, in which others have theirs', async () => {
    expect(await turnsOfAPublication(() => {})).toBeGreaterThan(1)
  })

  test('takes fewer of them where others take long, instead of a small share of the thread', async () => {
    // By 128 a turn it would be twelve.
    expect(await turnsOfAPublication(() => block(30))).toBeLessThanOrEqual(4)
  })
})
