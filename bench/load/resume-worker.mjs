// A thread of resume-server.mjs.
import http2 from 'node:http2'
import { parentPort } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'

const manager = StreamManager.open()
manager.on('stream', (stream) => {
  const events = manager.sse(stream).detach()
  events.send(String(manager.worker), { event: 'thread' })
  events.subscribe('feed', { after: events.lastEventId })
})
manager.accept(http2.createServer())

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
// More than that, and readers are behind.
const kMostQueued = 2 ** 20

answerThread(parentPort, {
  async publish({ count }) {
    for (let i = 0; i < count; i++) {
      manager.publish('feed', `${manager.worker} ${i}`)
      if (i % 8 !== 7) continue
      do await nextTurn()
      while (manager.stats().queuedBytes > kMostQueued)
    }
  },
})
