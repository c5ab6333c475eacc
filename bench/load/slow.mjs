// Readers that never read, while a thread sends to them as fast as it can: what the process holds for
// them, what becomes of each message, and what other readers of the same thread notice. Each policy
// beside the same run with readers that read. Server and clients have processes of their own.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const kMiB = 2 ** 20
const { seconds, readingSeconds, quick, runs } = parameters({
  seconds: 30,
  readingSeconds: 10,
  quick: 10,
  runs: [
    ...['drop', 'drop-oldest', 'latest', 'disconnect'].map((onSlow) => ({ onSlow, slow: 1 })),
    { onSlow: 'drop', slow: 1000 },
    { onSlow: 'drop-oldest', slow: 1000 },
  ],
})
const sendBudgetBytes = kMiB
const maxQueuedBytes = 64 * kMiB

const checks = new Checks()
const start = (name, ...words) => fork(fileURLToPath(new URL(name, import.meta.url)), words)

function ask(peer, type, words = {}) {
  const answered = answer(peer, type)
  peer.send({ type, ...words })
  return answered
}

async function run({ onSlow, slow }, reads) {
  const name = `${onSlow}, ${slow} ${reads ? 'that read' : 'that never read'}`
  const server = start(
    './slow-server.mjs',
    JSON.stringify({ onSlow, sendBudgetBytes, maxQueuedBytes, pingIntervalMs: 0 }),
  )
  const { port } = await answer(server, 'ready')
  const client = start('./slow-client.mjs')
  await answer(client, 'ready')
  await ask(client, 'open', { port, quick, slow, reads })
  const { stats: before } = await ask(server, 'stats')
  await ask(client, 'begin')
  const { results, rss, queued } = await ask(server, 'send', {
    seconds: reads ? readingSeconds : seconds,
  })
  const { p50, p99 } = await ask(client, 'measure')
  await ask(client, 'read')

  const since = async () => {
    const { stats, gaps } = await ask(server, 'stats')
    const of = (counter) => stats[counter] - before[counter]
    const lost = of('messagesDropped') + of('messagesUndeliverable')
    return { stats, gaps, lost, delivered: of('messagesDelivered') }
  }
  let now = await since()
  await until('every message has arrived or is counted', async () => {
    now = await since()
    if (now.delivered + now.lost !== results.queued + results.stamps) return false
    if (now.stats.activeStreams < quick + slow) return true // broken off: what was on its way is gone
    const { received, events } = await ask(client, 'measure')
    return received + events >= now.delivered
  })
  const { received, events, closed } = await ask(client, 'measure')
  checks.equal(
    `${name}: delivered + dropped = queued`,
    results.queued + results.stamps,
    now.delivered + now.lost,
  )
  checks.positive(`${name}: events to the others`, events)
  if (closed === 0) checks.equal(`${name}: received = delivered`, now.delivered, received + events)
  else checks.equal(`${name}: broken off`, now.stats.closed.slow, closed)
  server.kill('SIGKILL')
  client.kill('SIGKILL')
  return { results, rss, queued, p50, p99, received, ...now }
}

const rows = []
for (const shape of runs) {
  const reading = await run(shape, true)
  const stuck = await run(shape, false)
  // Where the oldest make room, as much again may be on its way.
  const share = shape.onSlow === 'drop-oldest' || shape.onSlow === 'latest' ? 2 : 1
  const budget = Math.min(share * shape.slow * sendBudgetBytes, maxQueuedBytes)
  checks.equal(
    `${shape.onSlow}, ${shape.slow}: within the bytes allowed`,
    true,
    stuck.queued <= budget + 256 * 1024,
  )
  rows.push({
    onSlow: shape.onSlow,
    readers: shape.slow,
    'messages/s': Math.round((stuck.results.queued + stuck.results.full) / seconds),
    taken: stuck.results.queued,
    full: stuck.results.full,
    gone: stuck.results.gone,
    dropped: stuck.lost,
    gaps: stuck.gaps,
    'queued MiB': round(stuck.queued / kMiB),
    'allowed MiB': budget / kMiB,
    'RSS MiB': Math.round(stuck.rss / kMiB),
    'RSS MiB, they read': Math.round(reading.rss / kMiB),
    'others p99 ms': round(stuck.p99),
    'others p99 ms, they read': round(reading.p99),
  })
}
finish(rows, checks)
