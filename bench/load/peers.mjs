// The same fan-out by holdfast and by others that people use for it: delivered messages a second and CPU
// a message, with clients that cost little.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { publish, startSide } from '../lib/publishing.mjs'
import { median, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

const h2 = { carrier: 'h2', sessions: 10, streamsEach: 100 }
const h1 = { carrier: 'h1', sessions: 1000, streamsEach: 1 }
const ws = { carrier: 'ws', sessions: 1000, streamsEach: 1 }
const {
  shapes,
  events,
  window: usualWindow,
  rounds,
} = parameters({
  shapes: [
    { ...h2, workers: 1, peers: ['holdfast', 'better-sse', 'nchan'] },
    { ...h1, workers: 1, peers: ['holdfast', 'better-sse', 'nchan'] },
    // With one, nothing is joined; with more, who is slower to write joins more.
    { ...h1, workers: 1, window: 1, peers: ['holdfast', 'better-sse', 'nchan'] },
    { ...ws, workers: 1, peers: ['holdfast', 'socket.io'] },
    { ...ws, workers: 2, peers: ['holdfast', 'socket.io'] },
  ],
  events: 200,
  // As many events are on their way to each stream at most.
  window: 8,
  rounds: 3,
})
const scripts = {
  holdfast: 'holdfast.mjs',
  'better-sse': 'better-sse.mjs',
  'socket.io': 'socket-io.mjs',
  nchan: 'nchan.mjs',
}

/** Why a peer cannot run here; undefined if it can. */
function missing(peer) {
  if (peer === 'nchan') {
    const { status } = spawnSync('nginx', ['-v'], { stdio: 'ignore' })
    const there = status === 0 && existsSync('/usr/lib/nginx/modules/ngx_nchan_module.so')
    return there ? undefined : 'not installed (Debian: nginx-light, libnginx-mod-nchan)'
  }
  try {
    import.meta.resolve(peer)
    return undefined
  } catch {
    return 'not installed (npm ci)'
  }
}

const checks = new Checks()
const results = []
for (const shape of shapes) {
  const streams = shape.sessions * shape.streamsEach
  const { window = usualWindow } = shape
  const sides = []
  for (const peer of shape.peers) {
    const reason = missing(peer)
    if (reason) process.stderr.write(`without ${peer}: ${reason}\n`)
    else sides.push(await startSide(peer, scripts[peer], shape, window, checks))
  }
  // A round to warm up, which counts nothing.
  for (let i = -1; i < rounds; i++) {
    for (const side of shuffled(sides)) {
      const outcome = await publish(side, events, window)
      if (i >= 0) side.runs.push(outcome)
    }
  }
  const own = sides.find(({ peer }) => peer === 'holdfast')
  const of = (side, name) => median(side.runs.map((outcome) => outcome[name]))
  for (const side of sides) {
    const { peer, server, client, published } = side
    const counts = await client.ask('counts')
    checks.equal(`${peer} ${shape.carrier}: received`, published * streams, counts.events)
    checks.equal(`${peer} ${shape.carrier}: out of order or broken`, 0, counts.faults)
    client.kill()
    server.end()
    results.push({
      peer,
      carrier: shape.carrier,
      'connections x streams': `${shape.sessions} x ${shape.streamsEach}`,
      'threads or processes': shape.workers,
      'on their way': window,
      'messages/s': Math.round(of(side, 'rate')),
      'CPU us a message': round(of(side, 'cpu')),
      'CPU x holdfast': round(of(side, 'cpu') / of(own, 'cpu')),
    })
  }
}
finish(results, checks)
