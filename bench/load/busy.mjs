// From a send in a worker thread to its arrival at the client, while the thread that answers requests
// computes half of the time.
import http2 from 'node:http2'
import { once } from 'node:events'
import { startPeer } from '../lib/peer.mjs'
import { nowNs, quantile, round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { until } from '../lib/wait.mjs'

const { messages, gapMs, busyMs } = parameters({ messages: 2_000, gapMs: 3, busyMs: [5, 10] })
const checks = new Checks()

async function measure(carrier, busy) {
  const server = await startPeer(new URL('./busy-server.mjs', import.meta.url), [carrier, busy])
  const { port } = await server.ask('port')
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':path': '/' })
  await once(stream, 'response')
  const latencies = []
  let rest = ''
  stream.setEncoding('latin1').on('data', (text) => {
    const now = nowNs()
    const events = (rest + text).split('\n\n')
    rest = events.pop()
    for (const event of events) latencies.push((now - Number(event.slice('data: '.length))) / 1000)
  })
  const { taken } = await server.ask('send', { messages, gapMs })
  await until('the last message', () => latencies.length >= taken)
  checks.equal(`${carrier}: taken`, messages, taken)
  checks.equal(`${carrier}: received`, taken, latencies.length)
  session.destroy()
  server.kill()
  return {
    carrier,
    'busy ms': busy,
    'p50 us': round(quantile(latencies, 0.5)),
    'p90 us': round(quantile(latencies, 0.9)),
    'p99 us': round(quantile(latencies, 0.99)),
  }
}

const results = []
for (const busy of busyMs) {
  const [node, native] = [await measure('node', busy), await measure('native', busy)]
  for (const one of [node, native]) one['p90 x node'] = round(one['p90 us'] / node['p90 us'])
  results.push(node, native)
}
finish(results, checks)
