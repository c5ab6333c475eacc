// Requests a second of h2load (Debian: nghttp2-client), answered by one JavaScript thread.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startPeer } from '../lib/peer.mjs'
import { median, round, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

const { requests, connections, streams, rounds, contenders, schemes } = parameters({
  requests: 50_000,
  connections: 10,
  streams: 10,
  rounds: 7,
  contenders: ['bare', 'node', 'native', 'native static'],
  schemes: ['http', 'https'],
})
const checks = new Checks()

// The shell says what its children took: two lines, of which the second is theirs.
const kWithTimes = 'h2load "$@"; times'

/** Microseconds of CPU, user's and system's, in what the shell's `times` says last. */
function clientCpuUs(said) {
  const words = said
    .trim()
    .split('\n')
    .at(-1)
    .matchAll(/(\d+)m([\d.]+)s/g)
  return [...words].reduce((all, [, minutes, seconds]) => all + (minutes * 60 + +seconds) * 1e6, 0)
}

/** The requests that were answered with 200, how many a second, and what that cost h2load. */
async function load({ port, scheme }) {
  const url = `${scheme}://127.0.0.1:${port}/`
  const words = ['-n', requests, '-c', connections, '-m', streams, url]
  const child = spawn('bash', ['-c', kWithTimes, 'h2load', ...words.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (said += text))
  await once(child, 'close')
  return {
    rate: Number(/, ([\d.]+) req\/s/.exec(said)?.[1]),
    good: Number(/status codes: (\d+) 2xx/.exec(said)?.[1]),
    clientUs: clientCpuUs(said),
  }
}

async function run(side, counts) {
  const { contender, server, scheme, runs } = side
  await server.ask('spent')
  const { rate, good, clientUs } = await load(side)
  const { answered, process, javascript } = await server.ask('spent')
  checks.equal(`${contender} ${scheme}: answered with 200`, requests, good)
  checks.equal(`${contender} ${scheme}: answers given`, requests, answered)
  if (!counts) return
  const each = { process, javascript, client: clientUs }
  for (const name of Object.keys(each)) each[name] /= requests
  runs.push({ rate, ...each })
}

const results = []
for (const scheme of schemes) {
  const sides = []
  for (const contender of contenders) {
    const script = new URL('./requests-server.mjs', import.meta.url)
    const server = await startPeer(script, [contender, scheme])
    const { port } = await server.ask('port')
    sides.push({ contender, scheme, server, port, runs: [] })
  }
  for (let i = -2; i < rounds; i++) {
    for (const side of shuffled(sides)) await run(side, i >= 0)
  }
  for (const { server } of sides) server.kill()

  const of = (side, name) => side.runs.map((outcome) => outcome[name])
  const bare = sides.find(({ contender }) => contender === 'bare')
  for (const side of sides) {
    results.push({
      contender: side.contender,
      scheme,
      'requests/s': round(median(of(side, 'rate'))),
      lowest: round(Math.min(...of(side, 'rate'))),
      highest: round(Math.max(...of(side, 'rate'))),
      'CPU us a request': round(median(of(side, 'process'))),
      'JavaScript thread': round(median(of(side, 'javascript'))),
      'h2load CPU us': round(median(of(side, 'client'))),
      'x bare': round(median(of(side, 'rate')) / median(of(bare, 'rate'))),
    })
  }
}
finish(results, checks)
