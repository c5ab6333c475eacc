// What a registered, detached, idle stream without listeners takes, beyond what its carrier takes. Each
// population is made twice, each time in a process of its own: registered, and held in an array alone.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median, shuffled } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { answer } from '../lib/wait.mjs'

const { shapes, rounds } = parameters({
  rounds: 3,
  shapes: [
    { carrier: 'http2', sockets: 1_000, streamsEach: 100 },
    { carrier: 'http2', sockets: 5_000, streamsEach: 1 },
    { carrier: 'duplex', sockets: 100_000, streamsEach: 1 },
  ],
})
const checks = new Checks()

async function run(shape, registered) {
  const child = fork(fileURLToPath(new URL('./memory-process.mjs', import.meta.url)), {
    execArgv: ['--expose-gc'],
  })
  await answer(child, 'ready')
  const done = answer(child, 'done')
  child.send({ ...shape, registered })
  const outcome = await done
  child.kill()
  const { carrier, sockets, streamsEach } = shape
  const name = `${carrier} ${sockets} x ${streamsEach}, ${registered ? 'registered' : 'alone'}`
  const streams = sockets * streamsEach
  checks.equal(`${name}: streams made`, streams, outcome.made)
  checks.equal(`${name}: live at the end`, registered ? streams : 0, outcome.live)
  checks.equal(`${name}: detached at the end`, registered ? streams : 0, outcome.detached)
  return outcome
}

const results = []
for (const shape of shapes) {
  const streams = shape.sockets * shape.streamsEach
  const kept = { registered: [], alone: [] }
  for (let i = 0; i < rounds; i++) {
    for (const which of shuffled(['registered', 'alone'])) {
      kept[which].push(await run(shape, which === 'registered'))
    }
  }
  const each = (which, name) => median(kept[which].map((outcome) => outcome[name])) / streams
  const differences = (name) => Math.round(each('registered', name) - each('alone', name))
  results.push({
    carrier: shape.carrier,
    sockets: shape.sockets,
    'streams each': shape.streamsEach,
    streams,
    'heap B/stream': differences('heap'),
    'native B/stream': differences('native'),
    'alone: heap B/stream': Math.round(each('alone', 'heap')),
    'alone: native B/stream': Math.round(each('alone', 'native')),
    'native, alone and registered, each run': ['alone', 'registered']
      .map((which) => kept[which].map(({ native }) => Math.round(native / streams)).join(' '))
      .join(' | '),
  })
}
finish(results, checks)
