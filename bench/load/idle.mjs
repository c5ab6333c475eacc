// What an idle connection with an event stream takes, what a stream more on it takes, and what is left
// when all have gone. Each figure is from server processes of its own.
import { startPeer } from '../lib/peer.mjs'
import { median, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { until } from '../lib/wait.mjs'

const { connections, full, streamsEach, rounds, contenders, schemes } = parameters({
  connections: { http: 10_000, https: 2_000 },
  /** Connections that have one stream, and then as many that have `streamsEach`. */
  full: 100,
  streamsEach: 100,
  rounds: 3,
  contenders: ['bare', 'native'],
  schemes: ['http', 'https'],
})
const checks = new Checks()

/** A fresh server that has had a few clients, which have gone, and a process of clients for it. */
async function start({ contender, scheme }) {
  const script = new URL('./idle-server.mjs', import.meta.url)
  const server = await startPeer(script, [contender, scheme], ['--expose-gc'])
  const client = await startPeer(new URL('./idle-client.mjs', import.meta.url))
  const { port } = await server.ask('port')
  const tls = scheme === 'https'
  let held = 0
  const settled = () =>
    until(`${held} streams`, async () => (await server.ask('open')).open === held)
  const side = {
    resident: async () => (await server.ask('resident')).bytes,
    async open(sessions, each) {
      const asked = { port, sessions, streamsEach: each, tls }
      const { answered } = await client.ask('open', asked)
      const name = `${contender} ${scheme}: ${sessions} x ${each} answered`
      checks.equal(name, sessions * each, answered)
      held += sessions * each
      await settled()
    },
    async closeAll() {
      await client.ask('close')
      held = 0
      await settled()
    },
    end() {
      server.kill()
      client.kill()
    },
  }
  await side.open(10, 1)
  await side.closeAll()
  return side
}

async function measureConnections(pair) {
  const count = connections[pair.scheme]
  const side = await start(pair)
  const empty = await side.resident()
  await side.open(count, 1)
  const held = await side.resident()
  await side.closeAll()
  const left = await side.resident()
  await side.open(count, 1)
  await side.closeAll()
  const leftAgain = await side.resident()
  side.end()
  return { connection: (held - empty) / count, left: left - empty, again: leftAgain - left }
}

/** Between connections with one stream and as many with all of theirs lie the streams beyond the first. */
async function measureStreams(pair) {
  const side = await start(pair)
  // V8's young generation grows with the first thousands, whatever they are, and then has its size.
  for (let i = 0; i < 2; i++) await side.open(full, streamsEach)
  const before = await side.resident()
  await side.open(full, 1)
  const ones = await side.resident()
  await side.open(full, streamsEach)
  const all = await side.resident()
  side.end()
  return { stream: (all - ones - (ones - before)) / (full * (streamsEach - 1)) }
}

const pairs = schemes.flatMap((scheme) =>
  contenders.map((contender) => ({ contender, scheme, runs: [] })),
)
for (let i = 0; i < rounds; i++) {
  for (const pair of shuffled(pairs)) {
    pair.runs.push({ ...(await measureConnections(pair)), ...(await measureStreams(pair)) })
  }
}
const results = pairs.map(({ contender, scheme, runs }) => {
  const of = (name, unit) => runs.map((run) => round(run[name] / unit))
  return {
    contender,
    scheme,
    connections: connections[scheme],
    'KB a connection with a stream': median(of('connection', 1024)),
    'KB a stream more': median(of('stream', 1024)),
    'by run': of('stream', 1024).join(' '),
    'MB more when all have gone': median(of('left', 2 ** 20)),
    'and once more': median(of('again', 2 ** 20)),
  }
})
finish(results, checks)
