// A holding thread of order.mjs: its streams check each message against the last one of the same sender.
import { Duplex } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'

const { received, senders } = workerData
const manager = StreamManager.open()
let outOfOrder = 0

/** Messages are 8 bytes, whole in each write: the sender and a number that only rises. */
class Ordered extends Duplex {
  last = new Float64Array(senders).fill(-1)
  messages = new Float64Array(senders)

  _read() {}

  _write(chunk, _encoding, done) {
    for (let at = 0; at < chunk.length; at += 8) {
      const sender = chunk.readUInt32LE(at)
      const number = chunk.readUInt32LE(at + 4)
      if (number <= this.last[sender]) outOfOrder++
      this.last[sender] = number
      this.messages[sender]++
      Atomics.add(received, sender, 1)
    }
    done()
  }
}

const streams = []
answerThread(parentPort, {
  hold({ count }) {
    const uids = Array.from({ length: count }, () => {
      const target = new Ordered()
      const stream = manager.register(target).detach()
      stream.subscribe('all')
      streams.push(target)
      return stream.uid
    })
    return { uids }
  },
  counts: () => ({ outOfOrder, perStream: streams.map(({ messages }) => [...messages]) }),
})
