import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly host: string
  readonly port: number
  readonly threads: number
}

/** What differs between the demos' command lines. */
export interface DemoCommand {
  /** What one types. */
  readonly command: string
  /** A paragraph, in lines of at most 80 characters. */
  readonly about: string
  readonly port: number
  /** How many threads serve unless one says otherwise. */
  readonly threads: number
}

export const usageOf = ({ command, about, port, threads }: DemoCommand): string =>
  `Usage: ${command} -- [options]

${about}

Options:
  -p, --port=...      port to listen on, 0 for any free one (default: ${port})
  -H, --host=...      name or address to listen on (default: 127.0.0.1)
  -t, --threads=...   threads that serve (default: ${threads}; this machine runs
                      ${availableParallelism()} at once)
  -h, --help          print this text
`

/** More threads than this help nobody, and each costs a heap. */
const kMaxThreads = 256

/** What was asked for, or `help`. @throws Error with a sentence for the person who typed it */
export function readOptions(
  args: readonly string[],
  { port, threads }: DemoCommand,
): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string', short: 'H', default: '127.0.0.1' },
      port: { type: 'string', short: 'p', default: String(port) },
      threads: { type: 'string', short: 't', default: String(threads) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    host: values.host,
    port: wholeNumber('--port', values.port, 0, 0xffff),
    threads: wholeNumber('--threads', values.threads, 1, kMaxThreads),
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new Error(`${name} must be a whole number from ${least} to ${most}`)
  }
  return value
}
