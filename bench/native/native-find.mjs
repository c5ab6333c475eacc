// Runs native_bench once for each number of streams, each in a process of its own.
import { spawnSync } from 'node:child_process'
import { median, round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'
import { buildNativeBench } from './build.mjs'

const { smoke, sizes, repetitions, minTime } = parameters({
  smoke: false,
  sizes: [1_000, 100_000, 1_000_000],
  repetitions: 5,
  minTime: 0.1,
})

const checks = new Checks()
const results = []
const program = buildNativeBench()

/** ns of one operation of one thread, by row and number of threads: all repetitions of it. */
function run(streams) {
  const { status, stdout } = spawnSync(
    program,
    [
      `--streams=${streams}`,
      `--benchmark_min_time=${smoke ? 0.001 : minTime}`,
      `--benchmark_repetitions=${smoke ? 1 : repetitions}`,
      '--benchmark_enable_random_interleaving=true',
      '--benchmark_format=json',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 },
  )
  checks.equal(`${streams} streams: exit code`, 0, status)
  const times = new Map()
  for (const row of JSON.parse(stdout).benchmarks) {
    if (row.run_type !== 'iteration') continue
    const [contender, what] = row.run_name.split('/')
    const name = `${streams} ${contender} ${what} on ${row.threads}`
    if (row.error_occurred) {
      checks.equal(name, 'right answers', row.error_message)
      continue
    }
    checks.equal(`${name}: finds`, row.iterations, row.finds)
    const key = JSON.stringify([contender, what, row.threads])
    // What is printed is wall time divided by the operations of all threads.
    times.set(key, [...(times.get(key) ?? []), row.real_time * row.threads])
  }
  return times
}

for (const streams of smoke ? [1_000] : sizes) {
  const times = run(streams)
  for (const [key, values] of times) {
    const [contender, what, threads] = JSON.parse(key)
    const dependent = what.endsWith('dependent')
    const beside = times.get(
      JSON.stringify(['memory', dependent ? 'line dependent' : 'line', threads]),
    )
    const ns = median(values)
    results.push({
      streams,
      find: what,
      contender,
      threads,
      'ns each': round(ns),
      lowest: round(Math.min(...values)),
      'x memory': beside ? round(ns / median(beside)) : undefined,
    })
  }
}
results.sort((a, b) => a.streams - b.streams || (a.find < b.find ? -1 : a.find > b.find ? 1 : 0))
finish(results, checks)
