// A thread that is busy for longer than its peers have to answer a PING.
import http2 from 'node:http2'
import { afterAll, expect, test } from 'vitest'
import { StreamManager, type ManagedStream } from '../../dist/index.js'
import { serve } from '../helpers/server.js'
import { TestThread } from '../helpers/worker.js'
import { until } from '../helpers/wait.js'

/** Long enough for the other thread to have its turn on a busy machine. */
const kTimeoutMs = 400
const node = http2.createServer()
const streams: ManagedStream[] = []
node.on('stream', (stream) => streams.push(StreamManager.open().sse(stream)))
const serving = serve(node, { carrier: 'node', pingIntervalMs: 10, pingTimeoutMs: kTimeoutMs })
afterAll(async () => (await serving).close())

test('does not take the answers that wait in its sockets for none', async () => {
  const { url } = await serving
  const client = await TestThread.start(new URL('fixtures/reader.mjs', import.meta.url))
  await client.call('open', url)
  await until('it is held', () => streams.length === 1)
  const lock = new Int32Array(new SharedArrayBuffer(4))
  // Each turn sends a PING, and is then busy until its time is over.
  for (let turn = 0; turn < 4; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    Atomics.wait(lock, 0, 0, 2 * kTimeoutMs)
  }
  expect(await client.call<number>('pings')).toBeGreaterThan(1)
  expect(streams[0]!.live).toBe(true)
  await client.terminate()
})
