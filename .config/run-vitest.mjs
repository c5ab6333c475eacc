// Runs folders of test/ under vitest and counts from its JSON report.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const kReport = 'report.json'

export async function runVitest(folders) {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-vitest-'))
  try {
    const report = join(scratch, kReport)
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config=test/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...folders.map((folder) => `--project=${folder}`),
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code] = await once(child, 'exit')
    return count(read(report), code)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function read(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { testResults: [] }
  }
}

/** A test that did not run is an omission; a file that did not load, or a bad exit, a failure. */
export function count({ testResults }, code) {
  const result = { passed: 0, failed: 0, omissions: [] }
  for (const file of testResults) {
    const tests = file.assertionResults
    for (const { status, fullName } of tests) {
      if (status === 'passed') result.passed++
      else if (status === 'failed') result.failed++
      else result.omissions.push(`${relative('.', file.name)}: ${fullName} (${status})`)
    }
    const broken = file.status === 'failed' && !tests.some(({ status }) => status === 'failed')
    if (broken) result.failed++
  }
  if (code !== 0 && result.failed === 0) result.failed = 1
  return result
}
