// Many WebSockets over a few HTTP/2 connections (RFC 8441), held on several threads: a message to each from
// every thread, a publish to all from every thread, and each closed by one of them. The clients are
// node:http2 with the framing of `ws`, in a process of their own.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { askThread, startPeer } from '../lib/peer.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const { connections, socketsEach, threads } = parameters({
  connections: 100,
  socketsEach: 100,
  threads: 4,
})
const sockets = connections * socketsEach
const deadlineMs = 120_000
/** The first of the codes that the threads close with, each with its own. */
const kFirstCode = 4000

const checks = new Checks()
const results = []
async function timed(step, count, action) {
  const start = performance.now()
  const value = await action()
  const ms = performance.now() - start
  results.push({ step, count, ms: Math.round(ms), 'each/s': Math.round((count / ms) * 1000) })
  return value
}
const sum = (answers, name) => answers.reduce((all, one) => all + (one[name] ?? 0), 0)

const manager = StreamManager.open()
const { port } = await manager.listen({ host: '127.0.0.1' })
const workers = Array.from(
  { length: threads },
  () =>
    new Worker(new URL('./websockets-worker.mjs', import.meta.url), {
      workerData: { socketsEach },
    }),
)
await Promise.all(workers.map((worker) => answer(worker, 'ready')))
const together = (type, words = () => ({})) =>
  Promise.all(workers.map((worker, i) => askThread(worker, type, words(i))))
const client = await startPeer(new URL('./websockets-client.mjs', import.meta.url))
const received = (count) =>
  until(`${count} messages`, async () => (await client.ask('counts')).messages >= count, deadlineMs)

await timed('WebSockets opened, greeted and heard', sockets, async () => {
  await client.ask('open', { port, connections, socketsEach })
  await until('all said their uid', async () => sum(await together('counts'), 'said') === sockets)
})
checks.equal('live WebSockets', sockets, manager.stats().activeWebsocketStreams)
checks.equal('events sockets', connections, manager.stats().activeSockets)
checks.equal('said another uid', 0, sum(await together('counts'), 'strayed'))
const held = (await together('uids')).map(({ uids }) => uids)
const uids = held.flat()
checks.equal('uids, all different', sockets, new Set(uids).size)
checks.equal('uids listed', sockets, [...manager.streams({ kind: 'websocket' })].length)

const total = threads * sockets
const sent = await timed('messages by uid, send to receive', total, async () => {
  const answers = await together('send', () => ({ uids }))
  await received(sockets + total)
  return answers
})
checks.equal('sent on the own thread', sockets, sum(sent, 'sent'))
checks.equal('queued for another', total - sockets, sum(sent, 'queued'))

const published = await timed('messages by publish, send to receive', total, async () => {
  const answers = await together('publish')
  await received(sockets + 2 * total)
  return answers
})
checks.equal('publish said', total, sum(published, 'addressed'))

const closed = await timed('WebSockets closed', sockets, async () => {
  const answers = await together('close', (thread) => ({
    uids: uids.filter((_, i) => i % threads === thread),
    code: kFirstCode + thread,
  }))
  await until('no WebSocket left', () => manager.stats().activeWebsocketStreams === 0, deadlineMs)
  return answers
})
checks.equal('taken for closing', sockets, sum(closed, 'true'))
const outcome = await client.ask('outcome', { senders: threads })
const { messages, strayed } = await client.ask('counts')
const ends = await together('counts')
checks.equal('received', sockets + 2 * total, messages)
checks.equal('on a WebSocket not their own, or twice', 0, strayed)
checks.equal('WebSockets that got one by uid from each thread', sockets, outcome.own)
checks.equal('WebSockets that got one publish of each thread', sockets, outcome.all)
checks.equal('broken off or broken', 0, outcome.faults)
for (let thread = 0; thread < threads; thread++) {
  const code = kFirstCode + thread
  const expected = uids.filter((_, i) => i % threads === thread).length
  checks.equal(`clients told ${code}`, expected, outcome.codes[code])
  checks.equal(
    `close events with ${code}`,
    expected,
    sum(
      ends.map(({ codes }) => codes),
      code,
    ),
  )
}
const ended = manager.stats()
checks.equal('created', sockets, ended.totalStreamsCreated)
checks.equal('destroyed', sockets, ended.totalStreamsDestroyed)
checks.equal('closed by close()', sockets, ended.closed.close)
checks.equal(
  'queued and published = delivered',
  ended.messagesQueued + ended.messagesPublished,
  ended.messagesDelivered,
)
checks.equal('undeliverable or dropped', 0, ended.messagesUndeliverable + ended.messagesDropped)
checks.equal('gone', sockets, uids.filter((uid) => manager.send(uid, 'late') === 'gone').length)
const perThread = held.map((list) => list.length)
results.push({ step: 'WebSockets on the fullest thread', count: Math.max(...perThread) })
results.push({ step: 'WebSockets on the emptiest thread', count: Math.min(...perThread) })
client.kill()
finish(results, checks)
