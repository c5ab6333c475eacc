// Messages from one thread to another, JavaScript to JavaScript: `send` beside MessagePort.postMessage and
// BroadcastChannel. This thread receives, a worker (send-worker.mjs) sends.
import { Duplex } from 'node:stream'
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { median, nowNs, quantile, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer } from '../lib/wait.mjs'

const kBytes = 64
const { messages, rounds, streams, aTick, window, latencyMessages, gapMs, payloads } = parameters({
  messages: 500_000,
  rounds: 5,
  streams: 4,
  aTick: 1024,
  window: 65_536,
  latencyMessages: 1000,
  gapMs: [0.2, 1],
  payloads: ['bytes', 'string'],
})
const contenders = ['send', 'postMessage', 'BroadcastChannel']

const manager = StreamManager.open({ sendBudgetBytes: 256 * 2 ** 20 })
const received = new Int32Array(new SharedArrayBuffer(4))
const checks = new Checks()
let mode = 'count'
let done = () => {}
let expected = 0
let count = 0
let latencies = []
const nextSequence = new Map()
let outOfOrder = 0

/** One arrival: the bytes of one or more messages. */
function take(payload, source) {
  const arrived = payload.length / kBytes
  if (mode === 'order') {
    const text = Buffer.from(payload).toString('latin1')
    for (let at = 0; at < text.length; at += kBytes) {
      const sequence = Number(text.slice(at, at + kBytes))
      if (sequence < (nextSequence.get(source) ?? 0)) outOfOrder++
      nextSequence.set(source, sequence + 1)
    }
  } else if (mode === 'latency') {
    const now = nowNs()
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('latin1')
    for (let at = 0; at < text.length; at += kBytes) {
      latencies.push(now - Number(text.slice(at, at + kBytes)))
    }
  }
  count += arrived
  received[0] = count
  if (count === expected) done()
}

const uids = []
for (let i = 0; i < streams; i++) {
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, callback) {
      take(chunk, i)
      callback()
    },
  })
  uids.push(manager.register(stream).uid)
}
const { port1, port2 } = new MessageChannel()
port1.on('message', (payload) => take(payload, 'port'))
const channel = new BroadcastChannel('holdfast-bench')
channel.onmessage = ({ data }) => take(data, 'channel')

const worker = new Worker(new URL('./send-worker.mjs', import.meta.url), {
  workerData: { uids, port: port2, bytes: kBytes, received, window, aTick, gapMs },
  transferList: [port2],
})
await answer(worker, 'ready')

/** One run of one contender; resolves when the last message is here. */
async function run(contender, payload, what, amount) {
  mode = what
  count = 0
  received[0] = 0
  expected = amount
  latencies = []
  nextSequence.clear()
  const arrived = new Promise((resolve) => {
    done = () => resolve(nowNs())
  })
  worker.postMessage({ contender, payload, what, amount })
  const [end, { start, fulls, sent }] = await Promise.all([arrived, answer(worker, 'sent')])
  checks.equal(`${contender} ${payload} ${what}: received = sent`, sent, count)
  return { seconds: (end - start) / 1e9, fulls }
}

const runs = new Map()
for (const payload of payloads) {
  for (const contender of contenders) {
    runs.set(`${contender} ${payload}`, { rates: [], p50: [], p99: [], all: [], fulls: 0 })
    await run(contender, payload, 'order', Math.min(messages, 20_000))
    checks.equal(`${contender} ${payload}: out of order or changed`, 0, outOfOrder)
  }
}
const pairs = payloads.flatMap((payload) => contenders.map((contender) => ({ contender, payload })))
// A round to warm up, which counts nothing.
for (let i = -1; i < rounds; i++) {
  for (const { contender, payload } of shuffled(pairs)) {
    const { seconds, fulls } = await run(contender, payload, 'count', messages)
    if (i < 0) continue
    const kept = runs.get(`${contender} ${payload}`)
    kept.rates.push(messages / seconds)
    kept.fulls += fulls
  }
  for (const { contender, payload } of shuffled(pairs)) {
    await run(contender, payload, 'latency', latencyMessages)
    if (i < 0) continue
    const kept = runs.get(`${contender} ${payload}`)
    kept.p50.push(quantile(latencies, 0.5) / 1000)
    kept.p99.push(quantile(latencies, 0.99) / 1000)
  }
}

const { messagesQueued, messagesDelivered, messagesUndeliverable } = manager.stats()
checks.equal(
  'queued = delivered + undeliverable',
  messagesQueued,
  messagesDelivered + messagesUndeliverable,
)
checks.equal('undeliverable', 0, messagesUndeliverable)
checks.positive('delivered', messagesDelivered)
const results = pairs.map(({ contender, payload }) => {
  const { rates, p50, p99, fulls } = runs.get(`${contender} ${payload}`)
  const beside = median(runs.get(`postMessage ${payload}`).rates)
  return {
    contender,
    payload: `${kBytes}-byte ${payload}`,
    'messages/s': Math.round(median(rates)),
    lowest: Math.round(Math.min(...rates)),
    highest: Math.round(Math.max(...rates)),
    'x postMessage': round(median(rates) / beside),
    'idle p50 us': round(median(p50)),
    'idle p99 us': round(median(p99)),
    fulls,
  }
})
await worker.terminate()
finish(results, checks)
