// How test runners of the project end: with the failures, named and told once more, and the line
// `N passed, N failed`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const kHeading = /^failures \(\d+\):$/
const kLongest = 30

/** What went wrong, where nobody can overlook it, and the count. */
export function printCounts(passed, failures) {
  if (failures.length > 0) {
    console.log(`\nfailures (${failures.length}):`)
    for (const { name, message } of failures) {
      console.log(`  ${name}`)
      const lines = message.trimEnd().split('\n')
      for (const line of lines.slice(0, kLongest)) console.log(`    ${line}`)
      if (lines.length > kLongest) console.log(`    … ${lines.length - kLongest} lines more above`)
    }
  }
  console.log(`${passed} passed, ${failures.length} failed`)
}

/**
 * Runs a program that ends so, and reads it. One that ends badly, or without such a line, is one failure
 * at least.
 */
export async function runCounted(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text)
    output += text
  })
  const [code, signal] = await once(child, 'close')
  const lines = output.trimEnd().split('\n')
  const match = /^(\d+) passed, \d+ failed$/.exec(lines.at(-1) ?? '')
  const failures = readFailures(lines)
  if ((code !== 0 || !match) && failures.length === 0) {
    failures.push({ name: args.join(' '), message: `ended with ${signal ?? `code ${code}`}` })
  }
  return { passed: Number(match?.[1] ?? 0), failures }
}

function readFailures(lines) {
  const failures = []
  const heading = lines.findLastIndex((line) => kHeading.test(line))
  if (heading < 0) return failures
  for (const line of lines.slice(heading + 1, -1)) {
    if (line.startsWith('    ')) failures.at(-1).message += `${line.slice(4)}\n`
    else failures.push({ name: line.slice(2), message: '' })
  }
  return failures
}
