import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It had to be killed, as it did not end by itself. */
  readonly hung: boolean
  readonly stdout: string
  readonly stderr: string
}

export interface ChildOptions {
  readonly nodeArguments?: readonly string[]
  readonly deadlineMs?: number
}

/** Runs a script with this node in a process of its own, and ends it if it passes its deadline. */
export function runChild(
  script: URL,
  args: readonly string[],
  { nodeArguments = [], deadlineMs = 25_000 }: ChildOptions = {},
): Promise<ChildResult> {
  const command = [...nodeArguments, fileURLToPath(script), ...args]
  // Not what the test runner passes on to its own processes.
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let hung = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const timer = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, deadlineMs)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, hung, stdout, stderr })
    })
  })
}

/** What every child has to show, whatever its test is about: the code, and an end of its own. */
export function ending({ code, signal, hung }: ChildResult): object {
  return { code, signal, hung }
}
