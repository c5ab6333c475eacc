// The README's test command: vitest, then the native tests. Says what was left out and why; its last
// line is the sum of both. HOLDFAST_REQUIRE_ALL=1 makes each omission a failure.
import { hasChromium, hasDoctest } from './machine.mjs'
import { runCounted } from './counts.mjs'
import { runVitest } from './run-vitest.mjs'

const folders = ['unit', 'http2', 'websocket', 'threads', 'lifecycle', 'package']
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
const sum = (field) => results.reduce((total, result) => total + result[field], 0)
const required = process.env.HOLDFAST_REQUIRE_ALL === '1'
const passed = sum('passed')
const failed = sum('failed') + (required ? omissions.length : 0)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
