// Many senders to the same streams, with publishes between: at every stream each sender's messages arrive
// in its order, none missing. Fast enough to fill mailboxes, as races need pressure to show.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { askThread } from '../lib/peer.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const { senders, messages, streams, holders, publishEach, aTick, window } = parameters({
  senders: 8,
  messages: 100_000,
  streams: 100,
  holders: 4,
  publishEach: 100,
  aTick: 512,
  window: 16_384,
})
const checks = new Checks()
// A sender is at most `window` and one publish ahead, so no stream is ever over its budget.
const manager = StreamManager.open({ sendBudgetBytes: 16 * 2 ** 20 })
// What arrived, by sender.
const received = new Int32Array(new SharedArrayBuffer(4 * senders))

async function start(script, workerData) {
  const worker = new Worker(new URL(script, import.meta.url), { workerData })
  await answer(worker, 'ready')
  return worker
}
const holding = await Promise.all(
  Array.from({ length: holders }, () => start('./order-holder.mjs', { received, senders })),
)
const sending = await Promise.all(
  Array.from({ length: senders }, (_, sender) =>
    start('./order-sender.mjs', { sender, received, aTick, window }),
  ),
)
const held = await Promise.all(
  holding.map((holder) => askThread(holder, 'hold', { count: streams / holders })),
)
const uids = held.flatMap((holder) => holder.uids)

const begin = performance.now()
const spoken = await Promise.all(
  sending.map((sender) => askThread(sender, 'speak', { uids, messages, publishEach })),
)
await until('all messages', () => {
  const now = manager.stats()
  const settled = now.messagesDelivered + now.messagesUndeliverable + now.messagesDropped
  return now.messagesQueued + now.messagesPublished === settled
})
const seconds = (performance.now() - begin) / 1000

const sum = (name) => spoken.reduce((all, counts) => all + counts[name], 0)
const { messagesQueued, messagesPublished, messagesDelivered, ...stats } = manager.stats()
const counts = await Promise.all(holding.map((holder) => askThread(holder, 'counts')))
const perStream = counts.flatMap((holder) => holder.perStream)
const arrived = perStream.flat().reduce((all, count) => all + count, 0)
// Sends go around the streams, publishes to each.
const perSender = messages / streams + messages / publishEach
const complete = perStream.flat().filter((count) => count === perSender).length

checks.equal(
  'out of order',
  0,
  counts.reduce((all, holder) => all + holder.outOfOrder, 0),
)
checks.equal('sends taken', senders * messages, sum('sent'))
checks.equal('sends counted as queued', sum('sent'), messagesQueued)
checks.equal('publish said', sum('addressed'), messagesPublished)
checks.equal('publishes to every stream', sum('published') * streams, sum('addressed'))
checks.equal('full: refused and sent again', sum('fulls'), stats.messagesFull)
checks.equal('dropped', 0, stats.messagesDropped)
checks.equal('undeliverable', 0, stats.messagesUndeliverable)
checks.equal('received = sent + published', messagesQueued + messagesPublished, arrived)
checks.equal('delivered', messagesDelivered, arrived)
checks.equal('all of each sender at each stream', senders * streams, complete)
const results = [
  {
    senders,
    streams,
    'holding threads': holders,
    sends: sum('sent'),
    publishes: sum('published'),
    received: arrived,
    'received/s': Math.round(arrived / seconds),
    fulls: sum('fulls'),
  },
]
await Promise.all([...sending, ...holding].map((worker) => worker.terminate()))
finish(results, checks)
