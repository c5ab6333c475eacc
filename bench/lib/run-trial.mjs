import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const kTimeoutMs = 25 * 60_000

/**
 * Runs one trial in a process of its own. The outcome has `results` only if the trial ended well and all
 * its counts added up.
 */
export async function runTrial(trial, smoke) {
  const given = smoke ? trial.smoke : {}
  if (trial.needs) {
    const { missing } = await import(new URL(`../${trial.needs}`, import.meta.url))
    const leftOut = missing()
    if (leftOut) return { parameters: given, verified: false, leftOut }
  }
  const script = fileURLToPath(new URL(`../${trial.script}`, import.meta.url))
  const { code, signal, stdout } = await run([script, JSON.stringify(given)])
  const outcome = parse(stdout)
  if (code !== 0 || !outcome) {
    return {
      parameters: given,
      verified: false,
      error: `ended with ${signal ?? code} and no outcome`,
    }
  }
  const { parameters, results, checks } = outcome
  const failed = checks.filter((check) => !check.ok)
  const verified = checks.length > 0 && failed.length === 0
  return verified
    ? { parameters, verified, checks: checks.length, results }
    : { parameters, verified, checks: checks.length, failed }
}

function run(words) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: kTimeoutMs,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout }))
  })
}

/** The last line is the trial's; undefined if it is none. */
function parse(stdout) {
  try {
    const outcome = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    return Array.isArray(outcome.results) && Array.isArray(outcome.checks) ? outcome : undefined
  } catch {
    return undefined
  }
}
