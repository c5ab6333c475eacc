// The sending thread of send.mjs.
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { publisher } from '../lib/redis.mjs'
import { nowNs } from '../lib/statistics.mjs'

const { uids, port, redisPort, received, aTick, gapMs } = workerData
const manager = StreamManager.open()
const channel = new BroadcastChannel('holdfast-bench')
const publishToRedis = redisPort && (await publisher(redisPort))
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
  Redis(payload) {
    publishToRedis(payload)
    return true
  },
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const sleep = (ms) => Atomics.wait(sleeper, 0, 0, ms)

function makePayload({ payload, bytes }, value) {
  const text = String(value).padEnd(bytes)
  return payload === 'string' ? text : new Uint8Array(Buffer.from(text))
}

/** As fast as it goes: so many a tick, and no more than `window` ahead of the receiver. */
async function flood(send, { amount, window }, payloadOf) {
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
async function idle(send, order) {
  for (let sent = 0; sent < order.amount; sent++) {
    sleep(gapMs[0] + Math.random() * (gapMs[1] - gapMs[0]))
    if (!send(makePayload(order, nowNs()))) throw new Error('full while idle')
    await nextTurn()
  }
}

/** `perSecond` messages, a few each fifth of a millisecond, carrying the time that these were begun at. */
async function steady(send, order) {
  const start = nowNs()
  let fulls = 0
  for (let sent = 0; sent < order.amount;) {
    const now = nowNs()
    const due = Math.min(order.amount, ((now - start) / 1e9) * order.perSecond)
    const payload = makePayload(order, now)
    for (; sent < due; sent++) {
      if (send(payload)) continue
      fulls++
      break
    }
    await nextTurn()
    sleep(0.2)
  }
  return fulls
}

parentPort.on('message', async (order) => {
  const send = senders[order.contender]
  turn = 0
  const start = nowNs()
  let fulls = 0
  if (order.what === 'idle') {
    await idle(send, order)
  } else if (order.what === 'half load') {
    fulls = await steady(send, order)
  } else {
    const fixed = makePayload(order, 0)
    const numbered = (sequence) => makePayload(order, sequence)
    fulls = await flood(send, order, order.what === 'order' ? numbered : () => fixed)
  }
  parentPort.postMessage({ type: 'sent', start, fulls, sent: order.amount })
})
parentPort.postMessage({ type: 'ready' })
