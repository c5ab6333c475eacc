// A holding thread of blocked-sender.mjs: counts what its streams get, and how old it is where it says so.
import { Duplex } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'
import { nowNs } from '../lib/statistics.mjs'

const { bytes, timed } = workerData
const manager = StreamManager.open()
let received = 0
const latencies = []

function open() {
  return new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      received += chunk.length / bytes
      if (timed) {
        const now = nowNs()
        for (let at = 0; at < chunk.length; at += bytes) {
          latencies.push((now - Number(chunk.toString('latin1', at, at + bytes))) / 1000)
        }
      }
      done()
    },
  })
}

answerThread(parentPort, {
  hold: ({ count }) => ({
    uids: Array.from({ length: count }, () => manager.register(open()).uid),
  }),
  block({ ms, started }) {
    Atomics.store(started, 0, 1)
    const end = performance.now() + ms
    while (performance.now() < end);
    return {}
  },
  counts: () => ({ received, latencies }),
})
