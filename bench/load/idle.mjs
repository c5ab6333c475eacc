// What an idle connection with an event stream takes, what a stream more takes, and what is left when all
// have gone. Each server is a process of its own.
import { startPeer } from '../lib/peer.mjs'
import { round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { until } from '../lib/wait.mjs'

const { connections, full, streamsEach, contenders } = parameters({
  connections: 10_000,
  /** Connections that have `streamsEach` streams. */
  full: 100,
  streamsEach: 100,
  contenders: ['bare', 'native'],
})
const checks = new Checks()

async function measure(contender) {
  const server = await startPeer(
    new URL('./idle-server.mjs', import.meta.url),
    [contender],
    ['--expose-gc'],
  )
  const client = await startPeer(new URL('./idle-client.mjs', import.meta.url))
  const { port } = await server.ask('port')
  const resident = async () => (await server.ask('resident')).bytes
  const openIs = (count) =>
    until(`${count} streams`, async () => (await server.ask('open')).open === count)

  async function open(sessions, each) {
    const { answered } = await client.ask('open', { port, sessions, streamsEach: each })
    checks.equal(`${contender}: ${sessions} x ${each} answered`, sessions * each, answered)
  }
  async function closeAll() {
    await client.ask('close')
    await openIs(0)
  }

  await open(full, streamsEach)
  await closeAll()
  const empty = await resident()
  await open(connections, 1)
  await openIs(connections)
  const held = await resident()
  await closeAll()
  const left = await resident()
  await open(connections, 1)
  await closeAll()
  const leftAgain = await resident()
  await open(full, 1)
  const one = await resident()
  await open(full, streamsEach)
  await openIs(full + full * streamsEach)
  const many = await resident()
  server.kill()
  client.kill()
  return {
    contender,
    connections,
    'KB a connection with a stream': round((held - empty) / connections / 1024),
    'KB a connection of many streams, by stream': round((many - one) / (full * streamsEach) / 1024),
    'MB more when all have gone': round((left - empty) / 2 ** 20),
    'and once more': round((leftAgain - left) / 2 ** 20),
  }
}

const results = []
for (const contender of contenders) results.push(await measure(contender))
finish(results, checks)
