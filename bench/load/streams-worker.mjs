// One holding thread of streams.mjs.
import http2 from 'node:http2'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager, formatUid } from 'holdfast'

const manager = StreamManager.open()
const server = http2.createServer({
  maxSessionMemory: 64,
  settings: { maxConcurrentStreams: workerData.streamsEach + 1 },
})
const uids = []
let all = []
server.on('stream', (stream) => {
  const events = manager.sse(stream).detach()
  uids.push(events.uid)
  events.send(formatUid(events.uid), { event: 'uid' })
})
manager.accept(server)

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

const actions = {
  uids: () => ({ uids }),
  learn: (message) => {
    all = message.uids
  },

  find() {
    let found = 0
    for (const uid of all) if (manager.find(uid)?.uid === uid) found++
    const strangers = all.slice(0, 100).map((uid) => uid ^ (1n << 62n))
    for (const uid of strangers) if (manager.find(uid)) found++
    return { found, strangers: strangers.length }
  },

  async send() {
    let taken = 0
    let refused = 0
    for (const [index, uid] of all.entries()) {
      const text = `${formatUid(uid)} ${manager.worker}`
      const result = manager.send(uid, text)
      if (result === 'sent' || result === 'queued') taken++
      else refused++
      if (index % 1000 === 999) await nextTurn()
    }
    return { taken, refused }
  },
}
parentPort.on('message', async (message) => {
  parentPort.postMessage({ type: message.type, ...(await actions[message.type](message)) })
})
parentPort.postMessage({ type: 'ready' })
