// What an idle connection with an event stream takes, what a stream more takes, and what is left when all
// have gone. Each server is a process of its own.
import { startPeer } from '../lib/peer.mjs'
import { round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { until } from '../lib/wait.mjs'

const { connections, full, streamsEach, contenders, schemes } = parameters({
  connections: { http: 10_000, https: 2_000 },
  /** Connections that have `streamsEach` streams. */
  full: 100,
  streamsEach: 100,
  contenders: ['bare', 'native'],
  schemes: ['http', 'https'],
})
const checks = new Checks()

async function measure(contender, scheme) {
  const count = connections[scheme]
  const server = await startPeer(
    new URL('./idle-server.mjs', import.meta.url),
    [contender, scheme],
    ['--expose-gc'],
  )
  const client = await startPeer(new URL('./idle-client.mjs', import.meta.url))
  const { port } = await server.ask('port')
  const resident = async () => (await server.ask('resident')).bytes
  const openIs = (count) =>
    until(`${count} streams`, async () => (await server.ask('open')).open === count)

  async function open(sessions, each) {
    const { answered } = await client.ask('open', {
      port,
      sessions,
      streamsEach: each,
      tls: scheme === 'https',
    })
    checks.equal(
      `${contender} ${scheme}: ${sessions} x ${each} answered`,
      sessions * each,
      answered,
    )
  }
  async function closeAll() {
    await client.ask('close')
    await openIs(0)
  }

  await open(10, 1)
  await closeAll()
  const empty = await resident()
  await open(count, 1)
  await openIs(count)
  const held = await resident()
  await closeAll()
  const left = await resident()
  await open(count, 1)
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
    scheme,
    connections: count,
    'KB a connection with a stream': round((held - empty) / count / 1024),
    'KB a connection of many streams, by stream': round((many - one) / (full * streamsEach) / 1024),
    'MB more when all have gone': round((left - empty) / 2 ** 20),
    'and once more': round((leftAgain - left) / 2 ** 20),
  }
}

const results = []
for (const scheme of schemes) {
  for (const contender of contenders) results.push(await measure(contender, scheme))
}
finish(results, checks)
