// How evenly connections spread over threads: `listen` and `accept` beside one listening socket that all
// threads share. Three arrivals: steady, one burst, and one burst with a thread blocked. Servers and
// clients have processes of their own.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer, until } from '../lib/wait.mjs'

const { connections, threads, gapMs, blockMs, rounds } = parameters({
  connections: 400,
  threads: 4,
  gapMs: 2,
  blockMs: 1000,
  rounds: 3,
})
const contenders = ['listen and accept', 'shared socket']
const arrivals = [
  { arrival: 'steady', gapMs, block: false },
  { arrival: 'burst', gapMs: 0, block: false },
  { arrival: 'burst, one thread blocked', gapMs: 0, block: true },
]

const checks = new Checks()
const start = (name, ...words) => fork(fileURLToPath(new URL(name, import.meta.url)), words)
const clients = start('./balance-client.mjs')
await answer(clients, 'ready')

function ask(peer, type, words = {}) {
  const answered = answer(peer, type)
  peer.send({ type, ...words })
  return answered
}
const sum = (values) => values.reduce((all, value) => all + value, 0)

async function run(contender, { arrival, gapMs, block }) {
  const server = start('./balance-server.mjs', contender, String(threads))
  const { port } = await answer(server, 'ready')
  if (block) await ask(server, 'block', { ms: blockMs })
  const begun = performance.now()
  await ask(clients, 'connect', { port, connections, gapMs })
  let spread = []
  await until('all connections', async () => {
    ;({ spread } = await ask(server, 'count'))
    return sum(spread) >= connections
  })
  const ms = performance.now() - begun
  const name = `${contender}, ${arrival}`
  checks.equal(`${name}: accepted = connected`, connections, sum(spread))
  const { answered } = await ask(clients, 'request')
  checks.equal(`${name}: connections that answer`, connections, answered)
  await ask(clients, 'close')
  // Not closed one thread after the other: with a shared socket each would close the same descriptor.
  server.kill('SIGKILL')
  return { most: Math.max(...spread), least: Math.min(...spread), ms }
}

const kept = new Map()
for (let i = 0; i < rounds; i++) {
  for (const arrival of arrivals) {
    for (const contender of shuffled(contenders)) {
      const key = `${arrival.arrival}|${contender}`
      kept.set(key, [...(kept.get(key) ?? []), await run(contender, arrival)])
    }
  }
}

/** A thread that got nothing makes it no number. */
const shown = (ratio) => (Number.isFinite(ratio) ? round(ratio) : 'one had none')
const results = []
for (const { arrival } of arrivals) {
  for (const contender of contenders) {
    const runs = kept.get(`${arrival}|${contender}`)
    const ratios = runs.map(({ most, least }) => most / least)
    results.push({
      arrival,
      contender,
      'most loaded': runs.map(({ most }) => most).join(' '),
      'least loaded': runs.map(({ least }) => least).join(' '),
      'most / least': shown(median(ratios)),
      worst: shown(Math.max(...ratios)),
      ms: Math.round(median(runs.map(({ ms }) => ms))),
    })
  }
}
clients.kill()
finish(results, checks)
