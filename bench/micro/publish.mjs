// What one publish costs the thread that publishes, by how many members the topic has on other threads.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { threadNumber, timesPushedAside } from '../lib/cpu.mjs'
import { askThread } from '../lib/peer.mjs'
import { median, nowNs, quantile, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const kBytes = 64
const { members, threads, rounds, publishes } = parameters({
  members: [100, 10_000, 100_000],
  threads: 4,
  rounds: 5,
  publishes: 40,
})
const thread = threadNumber()
const checks = new Checks()
const manager = StreamManager.open()
const holders = Array.from(
  { length: threads },
  () => new Worker(new URL('./publish-holder.mjs', import.meta.url)),
)
await Promise.all(holders.map((holder) => answer(holder, 'ready')))
const each = members.map((count) => count / threads)
await Promise.all(holders.map((holder) => askThread(holder, 'join', { members: each })))
const payload = 'x'.repeat(kBytes)

/** Every message so far is with its stream, and the holding threads are idle again. */
function settled() {
  return until('all messages', () => {
    const { messagesPublished, messagesDelivered, messagesUndeliverable, messagesDropped } =
      manager.stats()
    return messagesPublished === messagesDelivered + messagesUndeliverable + messagesDropped
  })
}

/** One publish with nothing else going on: ns of the call, and until what it queued has left this thread. */
async function once(topic) {
  await settled()
  const asideBefore = timesPushedAside(thread)
  const start = nowNs()
  const addressed = manager.publish(topic, payload)
  const called = nowNs()
  // Behind the flush, which was asked for first.
  const left = await new Promise((resolve) => process.nextTick(() => resolve(nowNs())))
  const aside = timesPushedAside(thread) > asideBefore
  return { addressed, call: called - start, flushed: left - start, aside }
}

let expected = 0
const kept = new Map(members.map((count) => [count, { call: [], flushed: [], all: [], aside: 0 }]))
// A round to warm up, which counts nothing.
for (let i = -1; i < rounds; i++) {
  for (const [at, count] of shuffled([...members.entries()])) {
    let addressed = 0
    for (let j = 0; j < publishes; j++) {
      const outcome = await once(`of ${each[at]}`)
      addressed += outcome.addressed
      if (i < 0) continue
      kept.get(count).all.push(outcome.flushed / 1000)
      if (outcome.aside) {
        kept.get(count).aside++
        continue
      }
      kept.get(count).call.push(outcome.call / 1000)
      kept.get(count).flushed.push(outcome.flushed / 1000)
    }
    checks.equal(`publish said, of ${count}`, publishes * count, addressed)
    expected += publishes * count
  }
}
await settled()

const { messagesPublished, messagesDelivered, messagesDropped, messagesUndeliverable } =
  manager.stats()
const answers = await Promise.all(holders.map((holder) => askThread(holder, 'bytes')))
const received = answers.reduce((all, { bytes }) => all + bytes, 0) / kBytes
checks.positive('received', received)
checks.equal('published', expected, messagesPublished)
checks.equal('received = published - dropped', messagesPublished - messagesDropped, received)
checks.equal('delivered', messagesDelivered, received)
checks.equal('undeliverable', 0, messagesUndeliverable)

const least = kept.get(members[0])
const results = members.map((count) => {
  const { call, flushed, all, aside } = kept.get(count)
  return {
    members: count,
    threads,
    'us a call': round(median(call)),
    'us with its flush': round(median(flushed)),
    'pushed aside': `${aside} of ${all.length}`,
    'p50 us of all': round(median(all)),
    'p90 us of all': round(quantile(all, 0.9)),
    [`call x ${members[0]} members`]: round(median(call) / median(least.call)),
    [`with flush x ${members[0]}`]: round(median(flushed) / median(least.flushed)),
  }
})
await Promise.all(holders.map((holder) => holder.terminate()))
finish(results, checks)
