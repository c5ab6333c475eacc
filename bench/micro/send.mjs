// Messages from one thread to another, JavaScript to JavaScript: `send` beside MessagePort.postMessage,
// BroadcastChannel and Redis. This thread receives, a worker (send-worker.mjs) sends.
import { Duplex } from 'node:stream'
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { redisMissing, startRedis, subscribe } from '../lib/redis.mjs'
import { median, nowNs, quantile, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer } from '../lib/wait.mjs'

const { messages, rounds, streams, aTick, windowBytes, latencyMessages, gapMs, loadMs, cases } =
  parameters({
    messages: 500_000,
    rounds: 5,
    streams: 4,
    aTick: 1024,
    windowBytes: 4 * 2 ** 20,
    latencyMessages: 1000,
    gapMs: [0.2, 1],
    loadMs: 500,
    cases: [
      { payload: 'bytes', bytes: 64 },
      { payload: 'string', bytes: 64 },
      { payload: 'bytes', bytes: 1024 },
    ],
  })
/** At half load, the latency of one message in so many is looked at. */
const kSampled = 16

const manager = StreamManager.open({ sendBudgetBytes: 256 * 2 ** 20 })
const received = new Int32Array(new SharedArrayBuffer(4))
const checks = new Checks()
let mode = 'count'
let size = 0
let done = () => {}
let expected = 0
let count = 0
let latencies = []
const nextSequence = new Map()
let outOfOrder = 0

/** What is written in the message at `at`, which the receiver of a real one would look at as well. */
function numberIn(payload, at) {
  if (typeof payload === 'string') return Number(payload.slice(at, at + size))
  const { buffer, byteOffset } = payload
  return Number(Buffer.from(buffer, byteOffset + at, size).toString('latin1'))
}

/** One arrival: the bytes of one or more messages. */
function take(payload, source) {
  const arrived = payload.length / size
  if (mode === 'order') {
    for (let i = 0; i < arrived; i++) {
      const sequence = numberIn(payload, i * size)
      if (!(sequence >= (nextSequence.get(source) ?? 0))) outOfOrder++
      nextSequence.set(source, sequence + 1)
    }
  } else if (mode !== 'count') {
    const now = nowNs()
    const each = mode === 'idle' ? 1 : kSampled
    for (let i = (each - (count % each)) % each; i < arrived; i += each) {
      latencies.push((now - numberIn(payload, i * size)) / 1000)
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

const contenders = ['send', 'postMessage', 'BroadcastChannel']
const noRedis = redisMissing()
if (noRedis) process.stderr.write(`without Redis: ${noRedis}\n`)
else contenders.push('Redis')
const redis = noRedis ? undefined : await startRedis()
let asText = false
const subscriber =
  redis &&
  (await subscribe(redis.port, (bytes) => take(asText ? bytes.latin1Slice() : bytes, 'redis')))

const worker = new Worker(new URL('./send-worker.mjs', import.meta.url), {
  workerData: { uids, port: port2, redisPort: redis?.port, received, aTick, gapMs },
  transferList: [port2],
})
await answer(worker, 'ready')

/** One run of one contender; resolves when the last message is here. */
async function run(pair, what, amount, perSecond) {
  const { contender, payload, bytes } = pair
  mode = what
  size = bytes
  count = 0
  received[0] = 0
  expected = amount
  latencies = []
  nextSequence.clear()
  asText = payload === 'string'
  subscriber?.setBytes(bytes)
  const arrived = new Promise((resolve) => {
    done = () => resolve(nowNs())
  })
  const window = windowBytes / bytes
  worker.postMessage({ contender, payload, bytes, what, amount, perSecond, window })
  const [end, { start, fulls, sent }] = await Promise.all([arrived, answer(worker, 'sent')])
  checks.equal(`${nameOf(pair)} ${what}: received = sent`, sent, count)
  return { seconds: (end - start) / 1e9, fulls }
}

const nameOf = ({ contender, payload, bytes }) => `${contender} ${bytes}-byte ${payload}`
const pairs = cases.flatMap((one) => contenders.map((contender) => ({ contender, ...one })))
const amountOf = ({ bytes }) => Math.ceil(messages * Math.sqrt(64 / bytes))
const runs = new Map()
for (const pair of pairs) {
  runs.set(nameOf(pair), { rates: [], idle: [], 'half load': [], fulls: 0, rate: 0 })
  await run(pair, 'order', Math.min(messages, 20_000))
  checks.equal(`${nameOf(pair)}: out of order or changed`, 0, outOfOrder)
}
const quantiles = () => [quantile(latencies, 0.5), quantile(latencies, 0.99)]
// A round to warm up, which counts nothing.
for (let i = -1; i < rounds; i++) {
  for (const pair of shuffled(pairs)) {
    const amount = amountOf(pair)
    const { seconds, fulls } = await run(pair, 'count', amount)
    const kept = runs.get(nameOf(pair))
    kept.rate = amount / seconds
    if (i < 0) continue
    kept.rates.push(amount / seconds)
    kept.fulls += fulls
  }
  for (const pair of shuffled(pairs)) {
    const kept = runs.get(nameOf(pair))
    await run(pair, 'idle', latencyMessages)
    if (i >= 0) kept.idle.push(quantiles())
    const perSecond = (i < 0 ? kept.rate : median(kept.rates)) / 2
    await run(pair, 'half load', Math.ceil((perSecond * loadMs) / 1000), perSecond)
    if (i >= 0) kept['half load'].push(quantiles())
  }
}

const { messagesQueued, messagesDelivered, messagesUndeliverable, messagesDropped } =
  manager.stats()
checks.equal('queued = delivered', messagesQueued, messagesDelivered)
checks.equal('undeliverable or dropped', 0, messagesUndeliverable + messagesDropped)
checks.positive('delivered', messagesDelivered)
const results = pairs.map((pair) => {
  const kept = runs.get(nameOf(pair))
  const beside = runs.get(nameOf({ ...pair, contender: 'postMessage' }))
  const rate = median(kept.rates)
  const middle = (what, at) => round(median(kept[what].map((both) => both[at])))
  return {
    contender: pair.contender,
    payload: `${pair.bytes}-byte ${pair.payload}`,
    'messages/s': Math.round(rate),
    lowest: Math.round(Math.min(...kept.rates)),
    highest: Math.round(Math.max(...kept.rates)),
    'GB/s': round((rate * pair.bytes) / 1e9),
    'x postMessage': round(rate / median(beside.rates)),
    'idle p50 us': middle('idle', 0),
    'idle p99 us': middle('idle', 1),
    'half load p50 us': middle('half load', 0),
    'half load p99 us': middle('half load', 1),
    fulls: kept.fulls,
  }
})
await worker.terminate()
subscriber?.close()
redis?.stop()
finish(results, checks)
