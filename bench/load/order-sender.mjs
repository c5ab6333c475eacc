// A sending thread of order.mjs.
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'

const { sender, received, aTick, window } = workerData
const manager = StreamManager.open()
const message = Buffer.alloc(8)
message.writeUInt32LE(sender)
let next = 0

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

answerThread(parentPort, {
  /** `messages` sends around the streams, and after each `publishEach` of them one publish to all. */
  async speak({ uids, messages, publishEach }) {
    const arrived = () => Atomics.load(received, sender)
    const counts = { sent: 0, published: 0, addressed: 0, fulls: 0 }
    while (counts.sent < messages) {
      const ahead = counts.sent + counts.addressed - arrived()
      for (let i = 0; i < Math.min(aTick, window - ahead) && counts.sent < messages; i++) {
        message.writeUInt32LE(next, 4)
        if (manager.send(uids[counts.sent % uids.length], message) !== 'queued') {
          counts.fulls++
          break // not taken: the same again in the next turn
        }
        next++
        counts.sent++
        if (counts.sent % publishEach !== 0) continue
        message.writeUInt32LE(next++, 4)
        counts.addressed += manager.publish('all', message)
        counts.published++
      }
      await nextTurn()
    }
    return counts
  },
})
