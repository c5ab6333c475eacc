// Runs a program whose last line of output is `N passed, N failed`, and reads that line.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that ends badly, or without such a line, counts as one failure at least. */
export async function runCounted(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text)
    output += text
  })
  const [code] = await once(child, 'close')
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  const match = /^(\d+) passed, (\d+) failed$/.exec(last)
  const passed = Number(match?.[1] ?? 0)
  const failed = Number(match?.[2] ?? 0)
  return { passed, failed: code === 0 && match ? failed : Math.max(failed, 1) }
}
