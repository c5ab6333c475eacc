// The server of resume.mjs: threads that hold the streams of its topic, and all publish to it.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerParent, askThread } from '../lib/peer.mjs'
import { answer } from '../lib/wait.mjs'

const [carrier, threads, ring] = process.argv.slice(2)
const { events, bytes } = JSON.parse(ring)
const manager = StreamManager.open({ carrier, sendBudgetBytes: 16 * 2 ** 20 })
manager.setTopic('feed', { replay: { events, bytes } })
const { port } = await manager.listen({ host: '127.0.0.1' })
const workers = Array.from(
  { length: Number(threads) },
  () => new Worker(new URL('./resume-worker.mjs', import.meta.url)),
)
await Promise.all(workers.map((worker) => answer(worker, 'ready')))

answerParent({
  port: () => ({ port }),
  async publish({ events: count }) {
    const each = count / workers.length
    await Promise.all(workers.map((worker) => askThread(worker, 'publish', { count: each })))
  },
  publishOne({ text }) {
    manager.publish('feed', text)
  },
  stats() {
    const { messagesReplayed: replayed, messagesDropped: dropped } = manager.stats()
    return { replayed, dropped }
  },
})
