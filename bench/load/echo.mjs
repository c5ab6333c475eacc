// Messages of WebSockets there and back, and published to all: by holdfast over HTTP/2 and HTTP/1.1, and over
// HTTP/1.1 by `ws` and uWebSockets.js. One thread holds the WebSockets of each.
import { kDataBytes } from '../lib/event.mjs'
import { measured, publish, startSide } from '../lib/publishing.mjs'
import { median, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

const { echoes, fanOuts, window, rounds } = parameters({
  // Each WebSocket has so many messages on their way, and gets so many back a round.
  echoes: [
    { sessions: 1, streamsEach: 1, inFlight: 1, each: 5_000 },
    { sessions: 10, streamsEach: 10, inFlight: 1, each: 200 },
    { sessions: 10, streamsEach: 10, inFlight: 32, each: 1_000 },
  ],
  fanOuts: [{ sessions: 10, streamsEach: 100, events: 200 }],
  window: 8,
  rounds: 5,
})
const contenders = [
  { peer: 'holdfast', script: 'holdfast.mjs', carrier: 'ws-h2' },
  { peer: 'holdfast', script: 'holdfast.mjs', carrier: 'ws' },
  { peer: 'ws', script: 'ws.mjs', carrier: 'ws' },
  { peer: 'uWebSockets.js', script: 'uws.mjs', carrier: 'ws' },
]
/** A frame to a client: two bytes before the data. */
const kFrameBytes = 2 + kDataBytes
// What `ws` uses where it is installed, as it is here by uWebSockets.js: neither has it by itself.
process.env.WS_NO_BUFFER_UTIL = '1'

const checks = new Checks()
const results = []

/** Starts the contenders, lets them run in turns, and adds their rows. */
async function compare(what, { sessions, streamsEach }, run, check) {
  const sockets = sessions * streamsEach
  const sides = []
  for (const { peer, script, carrier } of contenders) {
    // Over HTTP/1.1 each WebSocket is a connection.
    const overHttp2 = carrier === 'ws-h2'
    const shape = {
      carrier,
      sessions: overHttp2 ? sessions : sockets,
      streamsEach: overHttp2 ? streamsEach : 1,
      workers: 1,
    }
    sides.push({ carrier, ...(await startSide(peer, script, shape, window, checks)) })
  }
  // A round to warm up, which counts nothing.
  for (let i = -1; i < rounds; i++) {
    for (const side of shuffled(sides)) {
      const outcome = await run(side)
      if (i >= 0) side.runs.push(outcome)
    }
  }
  const of = (side, name) => median(side.runs.map((outcome) => outcome[name]))
  const ws = sides.find(({ peer }) => peer === 'ws')
  for (const side of sides) {
    const name = `${side.peer} ${side.carrier}, ${sockets} ${what}`
    const { events, faults } = await side.client.ask('counts')
    check(side, name, events)
    checks.equal(`${name}: out of order or broken`, 0, faults)
    const { bytes } = await side.client.ask('bytes')
    checks.equal(`${name}: bytes`, events * kFrameBytes, bytes)
    side.client.kill()
    side.server.end()
    results.push({
      what,
      WebSockets: sockets,
      peer: side.peer,
      over: side.carrier === 'ws' ? 'HTTP/1.1' : `HTTP/2, ${sessions} connections`,
      'messages/s': Math.round(of(side, 'rate')),
      'x ws': round(of(side, 'rate') / of(ws, 'rate')),
      'CPU us a message': round(of(side, 'cpu')),
      'CPU x ws': round(of(side, 'cpu') / of(ws, 'cpu')),
    })
  }
}

for (const shape of echoes) {
  const { inFlight, each } = shape
  const run = (side) =>
    measured(side, side.streams * each, () => side.client.ask('echo', { each, inFlight }))
  await compare(`echo, ${inFlight} in flight each`, shape, run, (side, name, events) => {
    checks.equal(`${name}: back = sent`, (rounds + 1) * each * side.streams, events)
  })
}
for (const shape of fanOuts) {
  const run = (side) => publish(side, shape.events, window)
  await compare('publish', shape, run, (side, name, events) => {
    checks.equal(`${name}: received = published`, side.published * side.streams, events)
  })
}
finish(results, checks)
