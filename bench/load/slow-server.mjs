// Server of the slow trial: this thread holds the streams, another sends to them.
import http2 from 'node:http2'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from '../../dist/index.js'

const options = isMainThread ? JSON.parse(process.argv[2]) : workerData.options
const manager = StreamManager.open(options)

if (isMainThread) serve()
else parentPort.on('message', sendFor)

async function serve() {
  const uids = { quick: [], slow: [] }
  let gaps = 0
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    const kind = headers[':path'].slice(1)
    const onGap = () => {
      gaps++
      return undefined
    }
    uids[kind].push(manager.sse(stream, kind === 'slow' ? { onGap } : {}).detach().uid)
  })
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
  manager.accept(server)
  const sender = new Worker(new URL(import.meta.url), { workerData: { options } })
  let rss = 0
  let queued = 0
  const watch = () => {
    rss = Math.max(rss, process.memoryUsage.rss())
    queued = Math.max(queued, manager.stats().queuedBytes)
  }
  process.on('message', async ({ type, seconds }) => {
    if (type === 'send') {
      watch()
      const timer = setInterval(watch, 20)
      sender.postMessage({ uids, seconds })
      const results = await new Promise((resolve) => sender.once('message', resolve))
      clearInterval(timer)
      process.send({ type, results, rss, queued })
    } else {
      process.send({ type, stats: manager.stats(), gaps })
    }
  })
  process.send({ type: 'ready', port })
}

/** As many messages as it can to the slow ones, in turn; a time stamp a few times a turn to the others. */
async function sendFor({ uids, seconds }) {
  const results = { sent: 0, queued: 0, full: 0, gone: 0 }
  const message = Buffer.alloc(250, 'x')
  const end = performance.now() + seconds * 1000
  let next = 0
  let stamps = 0
  let stampedAt = 0
  while (performance.now() < end) {
    for (let i = 0; i < 100; i++) {
      results[manager.send(uids.slow[next++ % uids.slow.length], message)]++
    }
    if (performance.now() - stampedAt > 2) {
      stampedAt = performance.now()
      for (const uid of uids.quick) {
        if (manager.send(uid, String(process.hrtime.bigint())) === 'queued') stamps++
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  parentPort.postMessage({ ...results, stamps })
}
