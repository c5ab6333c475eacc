// One server of fan-out.mjs: this thread publishes, a worker thread or a reactor holds the streams.
import { MessageChannel, Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { certificate } from '../lib/certificate.mjs'
import { processCpuUs, threadCpuUs, threadNumber } from '../lib/cpu.mjs'
import { eventData } from '../lib/event.mjs'
import { answerParent, askThread } from '../lib/peer.mjs'
import { answer } from '../lib/wait.mjs'
import { pace } from './fan-out-pace.mjs'

const [contender, streamsEach, scheme] = process.argv.slice(2)
const tls = scheme === 'https' ? await certificate() : undefined
// Whether the loop over the streams is told by this thread, as it would be without holdfast.
const told = contender === 'bare by postMessage'
const publishing = threadNumber()
const streams = []

/** The port, and how to ask the thread that holds the streams, if it runs JavaScript. */
async function open() {
  if (contender === 'pace alone') return {}
  if (!contender.startsWith('native')) return openHolder()
  const reactors = Number(/(\d) reactors/.exec(contender)?.[1] ?? 1)
  const manager = StreamManager.open({ carrier: 'native', reactors })
  manager.on('stream', (stream) => {
    const events = manager.sse(stream).detach()
    events.subscribe('all')
    streams.push(events.uid)
  })
  const { port } = await manager.listen({ host: '127.0.0.1', ...(tls ? { tls } : {}) })
  return { manager, port }
}

async function openHolder() {
  const manager = contender === 'holdfast' ? StreamManager.open() : undefined
  const { port1: toHolder, port2: messages } = told ? new MessageChannel() : {}
  const listening = await manager?.listen({ host: '127.0.0.1' })
  const holder = new Worker(new URL('./fan-out-holder.mjs', import.meta.url), {
    workerData: { contender, streamsEach: Number(streamsEach), tls, messages },
    transferList: messages ? [messages] : [],
  })
  await answer(holder, 'ready')
  const { port = listening?.port, thread } = await askThread(holder, 'who')
  return { manager, port, holder, holding: thread, toHolder }
}

const { manager, port, holder, holding, toHolder } = await open()
const publish = told
  ? (data) => toHolder.postMessage(data)
  : contender.endsWith('by send')
    ? (data) => {
        for (const uid of streams) if (manager.send(uid, data) === 'queued') addressed++
      }
    : (data) => (addressed += manager.publish('all', data))

let number = 0
let addressed = 0
let before

function cpu() {
  const process = processCpuUs()
  const ofPublishing = threadCpuUs(publishing)
  const ofHolding = holding === undefined ? process - ofPublishing : threadCpuUs(holding)
  return { process, publishing: ofPublishing, holding: ofHolding }
}

answerParent({
  port: () => ({ port }),
  async run({ ticks, aTick, intervalMs }) {
    before = cpu()
    const from = number
    number += ticks * aTick
    if (contender === 'pace alone') return { lateMs: await pace(ticks, intervalMs, () => {}) }
    if (!manager && !told) {
      const { lateMs } = await askThread(holder, 'write', { from, ticks, aTick, intervalMs })
      return { lateMs }
    }
    let next = from
    const lateMs = await pace(ticks, intervalMs, () => {
      for (let i = 0; i < aTick; i++) publish(eventData(next++))
    })
    return { lateMs }
  },
  spent() {
    const now = cpu()
    return { cpu: Object.fromEntries(Object.keys(now).map((of) => [of, now[of] - before[of]])) }
  },
  counts() {
    const {
      messagesPublished,
      messagesQueued,
      messagesDelivered,
      messagesDropped,
      messagesUndeliverable,
    } = manager.stats()
    return {
      addressed,
      taken: messagesPublished + messagesQueued,
      delivered: messagesDelivered,
      dropped: messagesDropped,
      undeliverable: messagesUndeliverable,
    }
  },
})
