// A million messages to streams of a thread that computes and takes nothing for two seconds, and a few
// to another thread meanwhile; then the same once more to a thread that is not blocked.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { askThread } from '../lib/peer.mjs'
import { nowNs, quantile, round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const { messages, bytes, streams, blockMs, aTick, mailboxBytes } = parameters({
  messages: 1_000_000,
  bytes: 64,
  streams: 100,
  blockMs: 2_000,
  aTick: 2_000,
  mailboxBytes: 64 * 2 ** 20,
})
const kMiB = 2 ** 20
const checks = new Checks()
// Roomy, so that the bound is the mailbox's.
const manager = StreamManager.open({ sendBudgetBytes: 16 * kMiB })

async function start(timed) {
  const url = new URL('./blocked-holder.mjs', import.meta.url)
  const worker = new Worker(url, { workerData: { bytes, timed } })
  await answer(worker, 'ready')
  return worker
}
const held = await start(false)
const other = await start(true)
const { uids } = await askThread(held, 'hold', { count: streams })
const { uids: others } = await askThread(other, 'hold', { count: 1 })
const text = 'x'.repeat(bytes)
const turn = () => new Promise((resolve) => setImmediate(resolve))

async function run(ms) {
  const before = manager.stats()
  const rss = process.memoryUsage.rss()
  const started = new Int32Array(new SharedArrayBuffer(4))
  const blocked = askThread(held, 'block', { ms, started })
  await until('it is blocked', () => Atomics.load(started, 0) === 1)
  const counts = { queued: 0, full: 0 }
  const asked = { queued: 0, full: 0 }
  let [rssMost, mailboxMost] = [rss, 0]
  const begin = performance.now()
  for (let i = 0; i < messages; i++) {
    counts[manager.send(uids[i % streams], text)]++
    if (i % aTick !== aTick - 1) continue
    asked[manager.send(others[0], String(nowNs()).padStart(bytes))]++
    await turn()
    rssMost = Math.max(rssMost, process.memoryUsage.rss())
    mailboxMost = Math.max(mailboxMost, ...manager.workers().map((worker) => worker.mailboxBytes))
  }
  const seconds = (performance.now() - begin) / 1000
  await blocked
  const taken = counts.queued + asked.queued
  await until('all that was taken', () => {
    const now = manager.stats()
    const ended = now.messagesDelivered + now.messagesUndeliverable
    return ended - before.messagesDelivered - before.messagesUndeliverable === taken
  })
  const { received } = await askThread(held, 'counts')
  const { received: elsewhere, latencies } = await askThread(other, 'counts')
  const stats = manager.stats()
  const name = ms > 0 ? 'blocked' : 'not blocked'
  checks.equal(`${name}: taken or refused`, messages, counts.queued + counts.full)
  checks.equal(`${name}: received = taken`, counts.queued, received)
  checks.equal(`${name}: counted as refused`, counts.full, stats.messagesFull - before.messagesFull)
  checks.equal(`${name}: undeliverable`, before.messagesUndeliverable, stats.messagesUndeliverable)
  checks.equal(`${name}: mailbox within its bound`, true, mailboxMost <= mailboxBytes)
  checks.equal(`${name}: to the other thread, refused`, 0, asked.full)
  checks.equal(`${name}: to the other thread, received`, asked.queued, elsewhere)
  return {
    thread: name,
    taken: counts.queued,
    full: counts.full,
    'send s': round(seconds),
    'mailbox MiB': round(mailboxMost / kMiB),
    'resident MiB': round((rssMost - rss) / kMiB),
    'others p50 us': round(quantile(latencies, 0.5)),
    'others p99 us': round(quantile(latencies, 0.99)),
  }
}

const results = [await run(blockMs), await run(0)]
await Promise.all([held, other].map((worker) => worker.terminate()))
finish(results, checks)
