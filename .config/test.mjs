// The README's test command: vitest, then the native tests. Says what was left out and why; ends with
// every failure of both once more, and as its last line their sum. HOLDFAST_REQUIRE_ALL=1 makes each
// omission a failure.
import { hasChromium, hasDoctest } from './machine.mjs'
import { printCounts, runCounted } from './counts.mjs'
import { runVitest } from './run-vitest.mjs'

const folders = ['unit', 'http2', 'native-carrier', 'websocket', 'threads', 'lifecycle', 'package']
const omissions = []

if (hasChromium()) folders.push('browser')
else omissions.push('test/browser: no chromium on this machine')
const results = [await runVitest(folders)]

if (hasDoctest()) results.push(await runCounted('node', ['.config/test-native.mjs']))
else omissions.push('test/native: no doctest (doctest/doctest.h) on this machine')

omissions.push(...results.flatMap((result) => result.omissions ?? []))
if (omissions.length > 0) {
  console.log(`\nleft out (${omissions.length}):`)
  for (const omission of omissions) console.log(`  ${omission}`)
}
const passed = results.reduce((total, result) => total + result.passed, 0)
const failures = results.flatMap((result) => result.failures)
if (process.env.HOLDFAST_REQUIRE_ALL === '1') {
  failures.push(...omissions.map((name) => ({ name, message: 'was left out' })))
}
printCounts(passed, failures)
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1
