import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

// CI once ended with one failure that nobody could name: only the last lines of its output were kept.

interface Report {
  passed: number
  failures: { name: string; message: string }[]
  omissions: string[]
}
let scratch: string
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-failures-'))
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('every way in which a test file fails is named in the report', () => {
  const report = join(scratch, 'report.json')
  const { status } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--root=test/package/fixtures/failing',
      '--reporter=./.config/counting-reporter.mjs',
    ],
    { env: { ...process.env, HOLDFAST_VITEST_REPORT: report }, stdio: 'ignore' },
  )
  expect(status).toBe(1)
  const { passed, failures, omissions } = JSON.parse(readFileSync(report, 'utf8')) as Report
  expect(passed).toBe(3)
  expect(omissions).toEqual([
    'fails.test.mjs: is left out (skipped)',
    'fails.test.mjs: a suite > never runs (skipped)',
  ])
  const told = failures.map(({ name, message }) => `${name}: ${message.split('\n')[0]}`)
  expect(told.sort()).toEqual([
    'an error outside of all tests: too late',
    'broken.test.mjs: no such luck',
    'fails.test.mjs: a suite: nothing works',
    expect.stringMatching(/^fails.test.mjs: adds wrongly: expected 2 to be 3/),
  ])
  expect(failures.find(({ name }) => name.includes('adds'))?.message).toMatch(/fails.test.mjs:5:/)
})

test('what failed is told once more at the end of a run of many steps', () => {
  const script = `
    set -euo pipefail
    source .ci/steps.sh
    step good true
    step bad sh -c 'seq 100 199; exit 1'
    counted tests sh -c 'echo noise; echo; echo "failures (1):"; echo "  adds wrongly"; echo "    why"; echo "7 passed, 1 failed"; exit 1'
    counted crashed sh -c 'exit 1'
    counted fine sh -c 'echo "4 passed, 0 failed"'
    step 'good as well' true
    finish`
  const { status, stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  expect(status).toBe(1)
  const end = stdout.slice(stdout.indexOf('=== good as well')).trimEnd().split('\n')
  expect(end).toEqual([
    '=== good as well',
    expect.stringMatching(/^=== \d+ s$/),
    '--- bad',
    ...Array.from({ length: 20 }, (_, i) => String(180 + i)),
    '--- tests',
    '  adds wrongly',
    '    why',
    '7 passed, 1 failed',
    '--- crashed',
    'failed: bad',
    'failed: tests',
    'failed: crashed',
    '13 passed, 3 failed',
  ])
})
