// Runs projects of vitest, which are folders of test/ and the native carrier, and counts by a reporter of our own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export async function runVitest(folders) {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-vitest-'))
  try {
    const report = join(scratch, 'report.json')
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config=test/vitest.config.ts',
      '--reporter=default',
      '--reporter=./.config/counting-reporter.mjs',
      ...folders.map((folder) => `--project=${folder}`),
    ]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, HOLDFAST_VITEST_REPORT: report },
    })
    const [code, signal] = await once(child, 'exit')
    const counted = read(report)
    // A bad end that nothing else explains is a failure as well.
    if (code !== 0 && counted.failures.length === 0) {
      counted.failures.push({ name: 'vitest', message: `ended with ${signal ?? `code ${code}`}` })
    }
    return counted
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function read(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { passed: 0, failures: [], omissions: [] }
  }
}
