// What an open, idle WebSocket takes that has sent one message and got it back: by holdfast over HTTP/2 and
// HTTP/1.1, and by `ws`. Each population is made in a process of its own.
import { startPeer } from '../lib/peer.mjs'
import { median, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

const { sessions, socketsEach, rounds } = parameters({
  sessions: 100,
  socketsEach: 100,
  rounds: 3,
})
const sockets = sessions * socketsEach
const populations = [
  { peer: 'holdfast', carrier: 'ws-h2', sessions, streamsEach: socketsEach },
  { peer: 'holdfast', carrier: 'ws', sessions: sockets, streamsEach: 1 },
  { peer: 'ws', carrier: 'ws', sessions: sockets, streamsEach: 1 },
].map((population) => ({ ...population, runs: [] }))
const checks = new Checks()

/** Bytes a WebSocket. */
async function run({ peer, carrier, sessions, streamsEach }) {
  const script = new URL('./websocket-memory-server.mjs', import.meta.url)
  const server = await startPeer(script, [peer, carrier], ['--expose-gc'])
  const client = await startPeer(new URL('./peers-client.mjs', import.meta.url))
  const { port } = await server.ask('where')
  const before = await server.ask('memory')
  await client.ask('open', { port, carrier, sessions, streamsEach })
  await client.ask('echo', { each: 1, inFlight: 1 })
  const after = await server.ask('memory')
  const { held, echoed } = await server.ask('counts')
  const { events, faults } = await client.ask('counts')
  const name = `${peer} ${carrier}`
  checks.equal(`${name}: held when it was measured`, sockets, held)
  checks.equal(`${name}: messages there`, sockets, echoed)
  checks.equal(`${name}: and back`, sockets, events)
  checks.equal(`${name}: broken`, 0, faults)
  client.kill()
  server.kill()
  return {
    heap: (after.heap - before.heap) / sockets,
    native: (after.native - before.native) / sockets,
  }
}

for (let i = 0; i < rounds; i++) {
  for (const population of shuffled(populations)) population.runs.push(await run(population))
}
const of = ({ runs }, name) => Math.round(median(runs.map((outcome) => outcome[name])))
const total = (population) => of(population, 'heap') + of(population, 'native')
const ws = populations.find(({ peer }) => peer === 'ws')
const results = populations.map((population) => ({
  peer: population.peer,
  over: population.carrier === 'ws' ? 'HTTP/1.1' : `HTTP/2, ${sessions} connections`,
  WebSockets: sockets,
  'heap B each': of(population, 'heap'),
  'native B each': of(population, 'native'),
  'B each': total(population),
  'x ws': Number((total(population) / total(ws)).toPrecision(3)),
  'B each, by run': population.runs.map(({ heap, native }) => Math.round(heap + native)).join(' '),
}))
finish(results, checks)
