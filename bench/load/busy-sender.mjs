// The sending thread of busy-server.mjs.
import { parentPort } from 'node:worker_threads'
import { setTimeout as sleep } from 'node:timers/promises'
import { StreamManager } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'
import { nowNs } from '../lib/statistics.mjs'

const manager = StreamManager.open()

answerThread(parentPort, {
  /** Each message says when it was sent; at random, so that it meets every phase of the other thread. */
  async send({ uid, messages, gapMs }) {
    let taken = 0
    for (let i = 0; i < messages; i++) {
      await sleep(Math.random() * 2 * gapMs)
      if (manager.send(uid, String(nowNs())) === 'queued') taken++
    }
    return { taken }
  },
})
