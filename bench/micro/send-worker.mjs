// The sending thread of send.mjs.
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { nowNs } from '../lib/statistics.mjs'

const { uids, port, bytes, received, window, aTick, gapMs } = workerData
const manager = StreamManager.open()
const channel = new BroadcastChannel('holdfast-bench')
const sleeper = new Int32Array(new SharedArrayBuffer(4))
let turn = 0

/** Each answers whether it took the message. */
const senders = {
  send(payload) {
    const result = manager.send(uids[turn], payload)
    if (result === 'full') return false
    if (result !== 'queued') throw new Error(`send answered ${result}`)
    turn = (turn + 1) % uids.length
    return true
  },
  postMessage(payload) {
    port.postMessage(payload)
    return true
  },
  BroadcastChannel(payload) {
    channel.postMessage(payload)
    return true
  },
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

function makePayload(kind, value) {
  const text = String(value).padEnd(bytes)
  return kind === 'string' ? text : new Uint8Array(Buffer.from(text))
}

/** As fast as it goes: so many a tick, and no more than `window` ahead of the receiver. */
async function flood(send, amount, payloadOf) {
  let fulls = 0
  for (let sent = 0; sent < amount;) {
    const ahead = sent - Atomics.load(received, 0)
    const most = Math.min(aTick, amount - sent, window - ahead)
    for (let i = 0; i < most; i++) {
      if (!send(payloadOf(sent))) {
        fulls++
        break
      }
      sent++
    }
    await nextTurn()
  }
  return fulls
}

/** One at a time with the receiver asleep, each carrying the time of its sending. */
async function paced(send, amount, kind) {
  for (let sent = 0; sent < amount; sent++) {
    Atomics.wait(sleeper, 0, 0, gapMs[0] + Math.random() * (gapMs[1] - gapMs[0]))
    if (!send(makePayload(kind, nowNs()))) throw new Error('full while idle')
    await nextTurn()
  }
}

parentPort.on('message', async ({ contender, payload, what, amount }) => {
  const send = senders[contender]
  turn = 0
  const start = nowNs()
  let fulls = 0
  if (what === 'latency') {
    await paced(send, amount, payload)
  } else {
    const fixed = makePayload(payload, 0)
    const payloadOf = what === 'order' ? (sequence) => makePayload(payload, sequence) : () => fixed
    fulls = await flood(send, amount, payloadOf)
  }
  parentPort.postMessage({ type: 'sent', start, fulls, sent: amount })
})
parentPort.postMessage({ type: 'ready' })
