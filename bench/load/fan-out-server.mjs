// One server of fan-out.mjs: this thread publishes, a worker thread holds the streams.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { processCpuUs, threadCpuUs, threadNumber } from '../lib/cpu.mjs'
import { eventData } from '../lib/event.mjs'
import { answerParent, askThread } from '../lib/peer.mjs'
import { answer } from '../lib/wait.mjs'
import { pace } from './fan-out-pace.mjs'

const [contender, streamsEach] = process.argv.slice(2)
const manager = contender === 'holdfast' ? StreamManager.open() : undefined
const listening = await manager?.listen({ host: '127.0.0.1' })
const holder = new Worker(new URL('./fan-out-holder.mjs', import.meta.url), {
  workerData: { contender, streamsEach: Number(streamsEach) },
})
await answer(holder, 'ready')
const { port = listening?.port, thread: holding } = await askThread(holder, 'who')
const publishing = threadNumber()

let number = 0
let addressed = 0
const cpu = () => ({
  process: processCpuUs(),
  holding: threadCpuUs(holding),
  publishing: threadCpuUs(publishing),
})
let before

answerParent({
  port: () => ({ port }),
  async run({ ticks, aTick, intervalMs }) {
    before = cpu()
    const from = number
    number += ticks * aTick
    if (manager) {
      let next = from
      await pace(ticks, intervalMs, () => {
        for (let i = 0; i < aTick; i++) addressed += manager.publish('all', eventData(next++))
      })
    } else {
      await askThread(holder, 'write', { from, ticks, aTick, intervalMs })
    }
    return {}
  },
  spent() {
    const now = cpu()
    return { cpu: Object.fromEntries(Object.keys(now).map((of) => [of, now[of] - before[of]])) }
  },
  counts() {
    const { messagesPublished, messagesDelivered, messagesDropped, messagesUndeliverable } =
      manager.stats()
    return {
      addressed,
      published: messagesPublished,
      delivered: messagesDelivered,
      dropped: messagesDropped,
      undeliverable: messagesUndeliverable,
    }
  },
})
