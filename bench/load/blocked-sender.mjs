// The process of blocked.mjs: its main thread sends, two others hold the streams.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerParent, askThread } from '../lib/peer.mjs'
import { nowNs } from '../lib/statistics.mjs'
import { answer, until } from '../lib/wait.mjs'

// Roomy, so that the bound is the mailbox's.
const manager = StreamManager.open({ sendBudgetBytes: 16 * 2 ** 20 })
const turn = () => new Promise((resolve) => setImmediate(resolve))

async function start(workerData, count) {
  const worker = new Worker(new URL('./blocked-holder.mjs', import.meta.url), { workerData })
  await answer(worker, 'ready')
  return { worker, uids: (await askThread(worker, 'hold', { count })).uids }
}

answerParent({
  async run({ ms, messages, bytes, streams, aTick }) {
    const held = await start({ bytes, timed: false }, streams)
    const other = await start({ bytes, timed: true }, 1)
    const text = 'x'.repeat(bytes)
    const rss = process.memoryUsage.rss()
    const started = new Int32Array(new SharedArrayBuffer(4))
    const blocked = askThread(held.worker, 'block', { ms, started })
    await until('it is blocked', () => Atomics.load(started, 0) === 1)
    const counts = { queued: 0, full: 0 }
    const asked = { queued: 0, full: 0 }
    let [rssMost, mailboxMost] = [rss, 0]
    const begin = performance.now()
    for (let i = 0; i < messages; i++) {
      counts[manager.send(held.uids[i % streams], text)]++
      if (i % aTick !== aTick - 1) continue
      asked[manager.send(other.uids[0], String(nowNs()).padStart(bytes))]++
      await turn()
      rssMost = Math.max(rssMost, process.memoryUsage.rss())
      mailboxMost = Math.max(mailboxMost, ...manager.workers().map((worker) => worker.mailboxBytes))
    }
    const seconds = (performance.now() - begin) / 1000
    await blocked
    await until('all that was taken', () => {
      const { messagesDelivered, messagesUndeliverable } = manager.stats()
      return messagesDelivered + messagesUndeliverable === counts.queued + asked.queued
    })
    const { received } = await askThread(held.worker, 'counts')
    const { latencies } = await askThread(other.worker, 'counts')
    const stats = manager.stats()
    return {
      ...counts,
      asked: asked.queued,
      countedFull: stats.messagesFull,
      undeliverable: stats.messagesUndeliverable,
      received,
      latencies,
      seconds,
      mailboxMost,
      resident: rssMost - rss,
    }
  },
})
