// One server of busy.mjs: this thread computes half of the time, a worker thread sends.
import http2 from 'node:http2'
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerParent, askThread } from '../lib/peer.mjs'
import { answer } from '../lib/wait.mjs'

const [carrier, busyMs] = process.argv.slice(2)
const manager = StreamManager.open({ carrier, reactors: 1 })
const { port } = await manager.listen({ host: '127.0.0.1' })
let uid
manager.on('stream', (stream) => (uid = manager.sse(stream).detach().uid))
if (carrier === 'node') manager.accept(http2.createServer())

const sender = new Worker(new URL('./busy-sender.mjs', import.meta.url))
await answer(sender, 'ready')

function compute() {
  const end = performance.now() + Number(busyMs)
  while (performance.now() < end);
  setTimeout(compute, Number(busyMs))
}

answerParent({
  port: () => ({ port }),
  async send({ messages, gapMs }) {
    compute()
    return { taken: (await askThread(sender, 'send', { uid, messages, gapMs })).taken }
  },
})
