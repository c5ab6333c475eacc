// Builds each test/native/fuzz/*_fuzz.cc with clang's libFuzzer, AddressSanitizer and
// UndefinedBehaviorSanitizer, and runs all at once, each from its corpus. What one finds new is kept
// in build/ and is where its next run begins. Ends with every failure once more, and the line `N passed, N failed`.
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printCounts } from './counts.mjs'
import { buildNative, reportIn, top } from './native-flavour.mjs'

const usage = 'Usage: node .config/fuzz.mjs [--seconds N] (each, default 10) [target...]'
const options = {
  seconds: { type: 'string', default: '10' },
  help: { type: 'boolean', short: 'h' },
}
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const known = readdirSync(join(top, 'test/native/fuzz'))
  .filter((file) => file.endsWith('_fuzz.cc'))
  .map((file) => file.slice(0, -'.cc'.length))
const targets = positionals.length > 0 ? positionals : known
const seconds = Number(values.seconds)
if (values.help || !(seconds >= 1) || !targets.every((target) => known.includes(target))) {
  console[values.help ? 'log' : 'error'](`${usage}\ntargets: ${known.join(', ')}`)
  process.exit(values.help ? 0 : 2)
}

const clang = ['clang++-19', 'clang++'].find((name) => spawnSync(name, ['--version']).status === 0)
if (!clang) {
  console.log('left out: fuzzing (clang is not installed)')
  process.exit(process.env.HOLDFAST_REQUIRE_ALL === '1' ? 1 : 0)
}

const crashed = 67
// Clang's own llvm-symbolizer is a package that need not be here; binutils are.
const symbolizer = execFileSync('which', ['addr2line'], { encoding: 'utf8' }).trim()
const common = `exitcode=${crashed}:external_symbolizer_path=${symbolizer}`
const environment = {
  ...process.env,
  ASAN_OPTIONS: `${common}:detect_leaks=1`,
  UBSAN_OPTIONS: `${common}:print_stacktrace=1`,
}

/** Runs one for at most so long; `said` is what libFuzzer and the sanitizers printed. */
function run(target, maxSeconds, ...folders) {
  const findings = join(top, 'build/fuzz/findings', target)
  mkdirSync(findings, { recursive: true })
  const words = [
    `-max_total_time=${maxSeconds}`,
    '-timeout=10', // for one input
    '-print_final_stats=1',
    `-artifact_prefix=${findings}/`,
    ...folders,
  ]
  const limits = { timeout: (maxSeconds + 60) * 1000, maxBuffer: 1 << 28 }
  return new Promise((resolve) => {
    const whenDone = (error, _, said) => {
      const inputs = Number(/stat::number_of_executed_units:\s*(\d+)/.exec(said)?.[1] ?? 0)
      resolve({ status: error ? (error.signal ?? error.code) : 0, inputs, said })
    }
    execFile(join(release, target), words, { env: environment, ...limits }, whenDone)
  })
}

const release = buildNative('fuzzer', [...targets, 'fuzz_canary'], {
  CC: clang.replace('++', ''),
  CXX: clang,
})
let passed = 0
const failures = []
async function fuzz(target) {
  const kept = join(top, 'build/fuzz/corpus', target)
  mkdirSync(kept, { recursive: true })
  const seeds = join(top, 'test/native/fuzz/corpus', target.slice(0, -'_fuzz'.length))
  const { status, inputs, said } = await run(target, seconds, kept, seeds)
  console.log(`${target}: ${inputs} inputs, code ${status}`)
  if (status === 0 && inputs > 0) passed++
  else failures.push({ name: target, message: reportIn(said) })
}
await Promise.all(targets.map(fuzz))

// It holds one planted fault behind four bytes, which must be searched for, found and reported.
const canary = await run('fuzz_canary', 60)
const reported =
  canary.status === crashed &&
  canary.said.includes('AddressSanitizer: heap-buffer-overflow') &&
  canary.said.includes('PlantedOverflow')
console.log(
  `canary: the planted fault was ${reported ? '' : 'NOT '}reported (code ${canary.status})`,
)
if (reported) passed++
else failures.push({ name: 'canary', message: reportIn(canary.said) })
printCounts(passed, failures)
process.exit(failures.length === 0 ? 0 : 1)
