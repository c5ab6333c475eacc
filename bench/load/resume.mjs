// Clients of one kept topic go and come back, to whichever thread takes them, while every thread publishes:
// with a ring that is large enough none misses an event and none gets one twice; with one that is too
// small each hole has one gap mark, where it is.
import { startPeer } from '../lib/peer.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

const { events, clients, threads, carriers, rings } = parameters({
  events: 100_000,
  clients: 20,
  threads: 4,
  carriers: ['node', 'native'],
  rings: [
    { name: 'large', events: 200_000, bytes: 32 * 2 ** 20 },
    { name: 'small', events: 20, bytes: 2 ** 20 },
  ],
})
// All clients are away while these are published: more than the small ring has.
const kAwayEvents = 100
const published = events + kAwayEvents + 2
const checks = new Checks()
const results = []

async function run(carrier, ring) {
  const name = `${carrier}, ${ring.name}`
  const server = await startPeer(new URL('./resume-server.mjs', import.meta.url), [
    carrier,
    threads,
    JSON.stringify(ring),
  ])
  const client = await startPeer(new URL('./resume-client.mjs', import.meta.url))
  const { port } = await server.ask('port')
  await client.ask('connect', { port, clients })
  // One that has had nothing could not say from where to go on.
  await server.ask('publishOne', { text: 'first' })
  await client.ask('seen', { text: 'first' })
  await client.ask('leave')
  await server.ask('publish', { events: kAwayEvents })
  client.tell('comeAndGo')
  const begin = performance.now()
  await server.ask('publish', { events })
  const seconds = (performance.now() - begin) / 1000
  await client.ask('stay')
  await server.ask('publishOne', { text: 'last' })
  const seen = await client.ask('seen', { text: 'last' })
  const stats = await server.ask('stats')
  client.kill()
  server.end()

  checks.equal(`${name}: events that came twice or out of order`, 0, seen.twice)
  checks.equal(`${name}: holes without a gap mark`, 0, seen.missed)
  checks.equal(`${name}: gap marks without a hole, or in the middle`, 0, seen.idleGaps)
  checks.equal(`${name}: clients that got the last event`, clients, seen.complete)
  checks.equal(`${name}: events dropped`, 0, stats.dropped)
  checks.positive(`${name}: returns`, seen.returns)
  checks.equal(`${name}: threads that clients came to`, threads, seen.threads)
  if (ring.events >= published) {
    checks.equal(`${name}: events received`, clients * published, seen.received)
    checks.equal(`${name}: gap marks`, 0, seen.gaps)
  } else {
    checks.positive(`${name}: gap marks`, seen.gaps)
  }
  results.push({
    carrier,
    ring: ring.name,
    events: published,
    received: seen.received,
    returns: seen.returns,
    replayed: stats.replayed,
    'gap marks': seen.gaps,
    'published/s': Math.round(events / seconds),
  })
}

for (const carrier of carriers) for (const ring of rings) await run(carrier, ring)
finish(results, checks)
