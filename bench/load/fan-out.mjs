// CPU time of a message that goes to a thousand event streams of one thread or of reactors: published from
// another thread through holdfast, and beside it written by a loop over the streams where they are held.
import { buildSendFloor, runSendFloor } from '../native/send-floor.mjs'
import { kEventBytes } from '../lib/event.mjs'
import { round, median, quantile, shuffled } from '../lib/statistics.mjs'
import { startPeer } from '../lib/peer.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

// What the ticks themselves cost the thread that has them.
const kPaceAlone = 'pace alone'
// What is called once a tick is compiled late, so the first rounds, which are twice as fast, count nothing.
const kWarmUps = 6
const { shapes, writesATick, starts, rounds, contenders } = parameters({
  // The interval leaves the holding thread idle about half of the time, so that nothing piles up.
  shapes: [
    { sessions: 10, streamsEach: 100, intervalMs: 8, ticks: 75 },
    { sessions: 100, streamsEach: 10, intervalMs: 10, ticks: 45 },
    // As clients come that open one stream now and one then.
    {
      sessions: 100,
      streamsEach: 10,
      intervalMs: 10,
      ticks: 45,
      mixed: true,
      only: ['holdfast', 'bare'],
    },
    { sessions: 1000, streamsEach: 1, intervalMs: 40, ticks: 18 },
    { sessions: 200, streamsEach: 1, intervalMs: 10, ticks: 45, scheme: 'https' },
  ],
  writesATick: [1, 4],
  // One process is laid out in memory unlike the next, and up to a tenth faster or slower for it.
  starts: 4,
  // Short and many: a virtual machine may be half as fast again in one second as in the next. Long
  // enough that the first ticks, which find the caches as another contender left them, count little.
  rounds: 3,
  contenders: [
    'holdfast',
    'native',
    'native by send',
    'native, 2 reactors',
    'bare',
    'bare by postMessage',
    kPaceAlone,
  ],
})
const checks = new Checks()
const results = []
const kFrameHeaderBytes = 9
const sendFloor = buildSendFloor()
if (!sendFloor) process.stderr.write('without a C++ compiler, the floor is left out\n')

const nameOf = ({ sessions, streamsEach, mixed }) =>
  `${sessions} x ${streamsEach}${mixed ? ' mixed' : ''}`

async function startSide(contender, { sessions, streamsEach, mixed, scheme = 'http' }) {
  const server = await startPeer(new URL('./fan-out-server.mjs', import.meta.url), [
    contender,
    streamsEach,
    scheme,
  ])
  if (contender === kPaceAlone) return { server }
  const client = await startPeer(new URL('./fan-out-client.mjs', import.meta.url))
  const { port } = await server.ask('port')
  const { answered } = await client.ask('open', {
    port,
    sessions,
    streamsEach,
    mixed,
    tls: scheme === 'https',
  })
  checks.equal(`${contender}: streams answered`, sessions * streamsEach, answered)
  return { server, client, published: 0, events: 0, frames: 0 }
}

/** One run of one side: microseconds of CPU a message. */
async function run(side, { sessions, streamsEach, intervalMs, ticks }, aTick) {
  const { lateMs } = await side.server.ask('run', {
    ticks,
    aTick,
    intervalMs: intervalMs * Math.sqrt(aTick),
  })
  const published = ticks * aTick * sessions * streamsEach
  if (!side.client) {
    const { cpu } = await side.server.ask('spent')
    return { process: cpu.process / published, publishing: cpu.publishing / published, lateMs }
  }
  side.published += ticks * aTick
  const { events, frames } = await side.client.ask('received', {
    events: side.published * sessions * streamsEach,
  })
  const { cpu } = await side.server.ask('spent')
  const messages = events - side.events
  const outcome = {
    process: cpu.process / messages,
    holding: cpu.holding / messages,
    publishing: cpu.publishing / messages,
    frames: (frames - side.frames) / messages,
    lateMs,
  }
  Object.assign(side, { events, frames })
  return outcome
}

async function check(contender, side, streams) {
  if (!side.client) return
  const { events, faults } = await side.client.ask('received', { events: 0 })
  const { streams: complete } = await side.client.ask('complete', { number: side.published })
  checks.equal(`${contender}: frames or events that are wrong`, 0, faults)
  checks.equal(`${contender}: streams that got all, in order`, streams, complete)
  checks.equal(`${contender}: received`, side.published * streams, events)
  if (contender.startsWith('bare')) return
  const counts = await side.server.ask('counts')
  checks.equal(`${contender}: said to be taken`, side.published * streams, counts.addressed)
  checks.equal(`${contender}: received = taken - dropped`, counts.taken - counts.dropped, events)
  checks.equal(`${contender}: counted as delivered`, counts.delivered, events)
  checks.equal(`${contender}: undeliverable`, 0, counts.undeliverable)
}

/** What a tick's messages cost when they are one send a connection, and nothing is done but to send. */
function measureFloor(shape, aTick) {
  const { sessions, streamsEach, ticks, scheme = 'http', mixed } = shape
  if (!sendFloor || scheme !== 'http' || mixed) return
  const bytes = aTick * streamsEach * (kFrameHeaderBytes + kEventBytes)
  const runs = []
  for (let i = 0; i < starts * rounds; i++) {
    const floor = runSendFloor(sendFloor, { connections: sessions, bytes, rounds: ticks })
    checks.equal(`floor: sends`, sessions * ticks, floor.sends)
    checks.equal(`floor: received`, floor.sent, floor.received)
    runs.push(floor.us / (aTick * streamsEach))
  }
  results.push({
    contender: 'one bare send a connection',
    scheme,
    'sessions x streams': nameOf(shape),
    'a tick': aTick,
    'CPU us a message': round(median(runs)),
    lowest: round(Math.min(...runs)),
    highest: round(Math.max(...runs)),
  })
}

/** A row of the table; the runs are by contender and writes a tick. */
function rowOf(shape, [contender, aTick], runs) {
  const all = (who, name) => (runs.get(String([who, aTick])) ?? []).map((outcome) => outcome[name])
  const middle = (who, name) => median(all(who, name))
  const row = {
    contender,
    scheme: shape.scheme ?? 'http',
    'sessions x streams': nameOf(shape),
    'a tick': aTick,
    'CPU us a message': round(middle(contender, 'process')),
    lowest: round(Math.min(...all(contender, 'process'))),
    highest: round(Math.max(...all(contender, 'process'))),
    'late p99 ms': round(middle(contender, 'lateMs')),
  }
  if (contender === kPaceAlone) return row
  row['holding thread'] = round(middle(contender, 'holding'))
  row['publishing thread'] = round(middle(contender, 'publishing'))
  row['frames a message'] = round(middle(contender, 'frames'))
  if (!runs.has(String(['bare', aTick]))) return row
  // Round by round, as the machine is not as fast in one as in the next.
  const bares = all('bare', 'process')
  const ratios = all(contender, 'process').map((us, i) => us / bares[i])
  row['x bare'] = round(median(ratios))
  row['x bare p25'] = round(quantile(ratios, 0.25))
  row['x bare p75'] = round(quantile(ratios, 0.75))
  if (!contender.startsWith('native') || !runs.has(String([kPaceAlone, aTick]))) return row
  const pace = middle(kPaceAlone, 'publishing')
  const bare = middle('bare', 'holding') - pace
  row['JavaScript x bare'] = round((middle(contender, 'publishing') - pace) / bare)
  return row
}

const ofShape = ({ only }) => contenders.filter((contender) => !only || only.includes(contender))

/** All rounds of processes that are started for them, and end with them. */
async function runRounds(shape, pairs, runs) {
  const sides = new Map()
  for (const contender of ofShape(shape)) sides.set(contender, await startSide(contender, shape))
  for (let i = -kWarmUps; i < rounds; i++) {
    for (const pair of shuffled(pairs)) {
      const [contender, aTick] = pair
      const intervalMs = i < 0 ? shape.intervalMs / 2 : shape.intervalMs
      const outcome = await run(sides.get(contender), { ...shape, intervalMs }, aTick)
      if (i >= 0) runs.get(String(pair)).push(outcome)
    }
  }
  for (const [contender, side] of sides) {
    await check(contender, side, shape.sessions * shape.streamsEach)
    side.server.kill()
    side.client?.kill()
  }
}

for (const shape of shapes) {
  const pairs = writesATick.flatMap((aTick) =>
    ofShape(shape).map((contender) => [contender, aTick]),
  )
  const runs = new Map(pairs.map((pair) => [String(pair), []]))
  for (let i = 0; i < starts; i++) await runRounds(shape, pairs, runs)
  for (const pair of pairs) results.push(rowOf(shape, pair, runs))
  for (const aTick of writesATick) measureFloor(shape, aTick)
}
finish(results, checks)
