// Many event streams held on several threads, each found and sent to once from every thread. The clients
// are node:http2, in a process of their own.
import { fork } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { StreamManager } from 'holdfast'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const { connections, streamsEach, threads } = parameters({
  connections: 100,
  streamsEach: 100,
  threads: 4,
})
const streams = connections * streamsEach
const deadlineMs = 120_000

const checks = new Checks()
const results = []
async function timed(what, count, action) {
  const start = performance.now()
  const value = await action()
  const ms = performance.now() - start
  results.push({ step: what, count, ms: Math.round(ms), 'each/s': Math.round((count / ms) * 1000) })
  return value
}
function together(peers, type, words = {}) {
  const answers = peers.map((peer) => answer(peer, type))
  for (const peer of peers) peer.postMessage({ type, ...words })
  return Promise.all(answers)
}

const manager = StreamManager.open()
const { port } = await manager.listen({ host: '127.0.0.1' })
const workers = Array.from(
  { length: threads },
  () =>
    new Worker(new URL('./streams-worker.mjs', import.meta.url), { workerData: { streamsEach } }),
)
await Promise.all(workers.map((worker) => answer(worker, 'ready')))
const begun = manager.stats()

const clients = fork(fileURLToPath(new URL('./streams-client.mjs', import.meta.url)))
clients.postMessage = (message) => clients.send(message)
await answer(clients, 'ready')
await timed('streams opened', streams, async () => {
  await together([clients], 'open', { port, connections, streamsEach })
  await until('all streams', () => manager.stats().detachedStreams === streams, deadlineMs)
})
const opened = manager.stats()
checks.equal('streams created', streams, opened.totalStreamsCreated - begun.totalStreamsCreated)
checks.equal('live event streams', streams, opened.activeSseStreams)

const held = (await together(workers, 'uids')).map(({ uids }) => uids)
const uids = held.flat()
await together(workers, 'learn', { uids })
checks.equal('uids, all different', streams, new Set(uids).size)
checks.equal('uids listed', streams, [...manager.streams({ kind: 'sse' })].length)

// One look-up of each stream, and of a uid that never was, from every thread.
const found = await timed('finds', threads * streams, () => together(workers, 'find'))
checks.equal('found', threads * streams, sum(found, 'found'))
const searched = manager.stats()
const delta = (name) => searched[name] - opened[name]
checks.equal('cache hits: one a stream', streams, delta('cacheHits'))
checks.equal('cross-worker look-ups', (threads - 1) * streams, delta('crossWorkerLookups'))
checks.equal('cache misses: the strangers', sum(found, 'strangers'), delta('cacheMisses'))
checks.equal(
  'every find counted once',
  threads * streams + sum(found, 'strangers'),
  delta('cacheHits') + delta('crossWorkerLookups') + delta('cacheMisses'),
)

const total = threads * streams
let arrived
const sent = await timed('messages, send to receive', total, async () => {
  const answers = await together(workers, 'send')
  // Each thread's message, and the uid that each stream was greeted with.
  await until(
    'all messages',
    async () => {
      ;[arrived] = await together([clients], 'count', { senders: threads })
      return arrived.received >= total + streams
    },
    deadlineMs,
  )
  return answers
})
checks.equal('messages sent or queued', total, sum(sent, 'taken'))
checks.equal('refused', 0, sum(sent, 'refused'))
checks.equal('received = sent and greetings', total + streams, arrived.received)
checks.equal('on a stream not their own', 0, arrived.strayed)
checks.equal('streams that got one from each thread', streams, arrived.complete)

await timed('streams closed', streams, async () => {
  await together([clients], 'close')
  await until('no stream left', () => manager.stats().activeStreams === 0, deadlineMs)
})
const ended = manager.stats()
checks.equal('created', streams, ended.totalStreamsCreated - begun.totalStreamsCreated)
checks.equal('destroyed', streams, ended.totalStreamsDestroyed - begun.totalStreamsDestroyed)
checks.equal(
  'live = created - destroyed',
  ended.activeStreams,
  ended.totalStreamsCreated - ended.totalStreamsDestroyed,
)
checks.equal('detached left', 0, ended.detachedStreams)
checks.equal(
  'queued = delivered + undeliverable',
  ended.messagesQueued,
  ended.messagesDelivered + ended.messagesUndeliverable,
)
checks.equal('gone: asked again after the end', streams, await goneAgain())
const perThread = held.map((list) => list.length)
results.push({ step: 'streams on the fullest thread', count: Math.max(...perThread) })
results.push({ step: 'streams on the emptiest thread', count: Math.min(...perThread) })
clients.kill()
finish(results, checks)

function sum(answers, name) {
  return answers.reduce((all, answer) => all + answer[name], 0)
}
async function goneAgain() {
  return uids.filter((uid) => manager.send(uid, 'late') === 'gone').length
}
