// A holding thread of publish.mjs: Duplexes that count what they are given, and keep nothing.
import { Duplex } from 'node:stream'
import { parentPort } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'

const manager = StreamManager.open()
let bytes = 0

class Swallowing extends Duplex {
  _read() {}
  _write(chunk, _encoding, done) {
    bytes += chunk.length
    done()
  }
}

let streams = 0
answerThread(parentPort, {
  /** So many streams; the first ones are members of the smaller topics as well. */
  join({ members }) {
    for (; streams < Math.max(...members); streams++) {
      const stream = manager.register(new Swallowing()).detach()
      for (const count of members) if (streams < count) stream.subscribe(`of ${count}`)
    }
    return { streams }
  },
  bytes: () => ({ bytes }),
})
