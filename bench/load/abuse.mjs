// How long an honest client waits for its answers while other peers abuse the server, and what is left
// of them when they have gone.
import http2 from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { abuses } from './abuses.mjs'
import { startPeer } from '../lib/peer.mjs'
import { quantile, round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { until } from '../lib/wait.mjs'

const { peers, forMs, gapMs, kinds, carriers } = parameters({
  peers: 8,
  forMs: 5_000,
  gapMs: 2,
  kinds: Object.keys(abuses),
  carriers: ['native', 'node'],
})
const kMiB = 2 ** 20
const checks = new Checks()

/** Resolves with the milliseconds to the whole answer, or with undefined if there is none. */
function ask(session) {
  return new Promise((resolve) => {
    const begin = performance.now()
    let text = ''
    const request = session.request({ ':path': '/' })
    request.setEncoding('latin1').on('data', (part) => (text += part))
    request.on('error', () => resolve(undefined))
    request.on('end', () => resolve(text === 'answered' ? performance.now() - begin : undefined))
    request.on('close', () => resolve(undefined))
  })
}

async function askUntil(session, isOver) {
  const answers = []
  while (!isOver()) {
    answers.push(await ask(session))
    await sleep(gapMs)
  }
  return answers
}

async function measure(carrier) {
  const server = await startPeer(
    new URL('./abuse-server.mjs', import.meta.url),
    [carrier],
    ['--expose-gc'],
  )
  const abusers = await startPeer(new URL('./abuse-peers.mjs', import.meta.url))
  const { port } = await server.ask('port')
  const session = http2.connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  await askUntil(session, afterMs(1000))
  const before = await server.ask('state')
  const rows = []

  async function phase(kind, isOver, counts = {}) {
    const answers = await askUntil(session, isOver)
    const served = answers.filter((ms) => ms !== undefined)
    checks.positive(`${carrier}, ${kind}: answers`, served.length)
    checks.equal(`${carrier}, ${kind}: answered`, answers.length, served.length)
    return {
      carrier,
      abuse: kind,
      requests: answers.length,
      'p50 ms': round(quantile(served, 0.5)),
      'p99 ms': round(quantile(served, 0.99)),
      'longest ms': round(Math.max(...served)),
      ...counts,
    }
  }

  rows.push(await phase('none', afterMs(forMs)))
  // The first time warms up what is kept for the next.
  await abusers.ask('abuse', { port, kind: 'rapid reset', peers, forMs: Math.min(forMs, 1000) })
  for (const kind of kinds) {
    const { bytes: residentBefore } = await server.ask('resident')
    let counts
    const abusing = abusers
      .ask('abuse', { port, kind, peers, forMs })
      .then((told) => (counts = told))
    const row = await phase(kind, () => counts !== undefined)
    await abusing
    const { connections, frames, cut } = counts
    checks.positive(`${carrier}, ${kind}: frames`, frames)
    let left
    await until('they have gone', async () => {
      left = await server.ask('state')
      return left.sockets === before.sockets && left.descriptors === before.descriptors
    }).catch(() => {})
    checks.equal(`${carrier}, ${kind}: descriptors`, before.descriptors, left.descriptors)
    checks.equal(`${carrier}, ${kind}: sessions`, before.sockets, left.sockets)
    const { bytes } = await server.ask('resident')
    rows.push({
      ...row,
      connections,
      cut,
      frames,
      'left MiB': round((bytes - residentBefore) / kMiB),
    })
  }
  session.destroy()
  abusers.kill()
  server.kill()
  return rows
}

function afterMs(ms) {
  const end = performance.now() + ms
  return () => performance.now() >= end
}

const rows = []
for (const carrier of carriers) rows.push(...(await measure(carrier)))
finish(rows, checks)
