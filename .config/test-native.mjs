// Builds and runs the native tests: plain, or with `--sanitize thread` or `--sanitize address`.
// Ends with every failure once more, and the line `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { printCounts } from './counts.mjs'
import { buildNative, reportIn, top } from './native-flavour.mjs'

const usage = `Usage: node .config/test-native.mjs [--sanitize thread|address] [--build-only] [-- doctest options]

STRESS_MS   how long each stress loop runs (default 300)
TEST_SEED   the seed to repeat a run with`

const options = {
  sanitize: { type: 'string' },
  'build-only': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
}
const { values, positionals } = parseArgs({ options, allowPositionals: true })
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const sanitize = values.sanitize ?? ''
if (!['', 'thread', 'address'].includes(sanitize)) {
  console.error(usage)
  process.exit(2)
}

const doctest = ['/usr/include', '/usr/local/include', '/opt/homebrew/include']
if (!doctest.some((path) => existsSync(join(path, 'doctest/doctest.h')))) {
  console.log('left out: native tests (doctest is not installed)')
  process.exit(process.env.HOLDFAST_REQUIRE_ALL === '1' ? 1 : 0)
}

// Which report fails a run is the run's own exit code; a leak counts as one too.
const suppressions = (name) => `suppressions=${join(top, 'test/suppressions', name)}`
const environment = {
  ...process.env,
  TSAN_OPTIONS: `halt_on_error=0:exitcode=66:${suppressions('tsan.txt')}`,
  ASAN_OPTIONS: 'detect_leaks=1:exitcode=67:detect_stack_use_after_return=1',
  LSAN_OPTIONS: `exitcode=67:print_suppressions=0:${suppressions('lsan.txt')}`,
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
}
const canaries = {
  thread: { says: 'WARNING: ThreadSanitizer: data race', named: 'PlantedRace', code: 66 },
  address: { says: 'ERROR: LeakSanitizer: detected memory leaks', named: 'PlantedLeak', code: 67 },
}

function checkEveryTestIsBuilt() {
  const built = readFileSync(join(top, 'binding.gyp'), 'utf8')
  const files = readdirSync(join(top, 'test/native'), { recursive: true })
  const left = files.filter(
    (file) => file.endsWith('.cc') && !built.includes(`'test/native/${file}'`),
  )
  if (left.length === 0) return
  console.error(`not in binding.gyp: ${left.join(', ')}`)
  process.exit(1)
}

let passed = 0
const failures = []

function runTests(file) {
  const program = basename(file)
  const { status, signal, stdout, stderr } = spawnSync(file, positionals, {
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
    maxBuffer: 1 << 28,
  })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  const counts = /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed/.exec(stdout)
  const failed = failedCases(stdout)
  passed += Number(counts?.[1] ?? 0)
  for (const { name, message } of failed) failures.push({ name: `${program}: ${name}`, message })
  // A crash, a sanitizer's report or a run that says nothing is a failure beyond those counted.
  if (status !== 0 && !(status === 1 && failed.length > 0)) {
    const message = `ended with ${signal ?? `code ${status}`}\n${reportIn(stderr)}`
    failures.push({ name: program, message })
  } else if (!counts || Number(counts[1]) === 0) {
    failures.push({ name: program, message: 'ran no tests' })
  }
}

// What doctest said of each case that failed, between its lines of '='.
function failedCases(output) {
  const cases = new Map()
  for (const part of output.split(/^={70,}$/m)) {
    const name = /^TEST CASE:\s*(.*)$/m.exec(part)?.[1]
    if (name === undefined || !/ERROR/.test(part)) continue
    const said = part.slice(part.indexOf(name) + name.length).split('[doctest]')[0]
    cases.set(name, `${cases.get(name) ?? ''}${said.trim()}\n`)
  }
  return [...cases].map(([name, message]) => ({ name, message }))
}

function runCanary(file) {
  const { says, named, code } = canaries[sanitize]
  const { status, stderr } = spawnSync(file, {
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  })
  const reported = status === code && stderr.includes(says) && stderr.includes(named)
  console.log(`canary: the planted fault was ${reported ? '' : 'NOT '}reported (code ${status})`)
  if (reported) {
    passed++
  } else {
    process.stderr.write(stderr)
    failures.push({ name: 'canary', message: 'the planted fault was not reported' })
  }
}

checkEveryTestIsBuilt()
const targets = ['core_tests', 'core_tests_tiny']
const release = buildNative(sanitize, sanitize ? [...targets, 'canary'] : targets)
if (values['build-only']) process.exit()
for (const target of targets) runTests(join(release, target))
if (sanitize) runCanary(join(release, 'canary'))
printCounts(passed, failures)
process.exit(failures.length === 0 ? 0 : 1)
