import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly host: string
  readonly port: number
  readonly threads: number
}

export const usage = `Usage: npm start -- [options]

Serves one page over HTTP/2 from several threads, each of which holds the event
streams of the connections it was given and can reach those of all the others.

Options:
  -p, --port=...      port to listen on, 0 for any free one (default: 8443)
  -H, --host=...      name or address to listen on (default: 127.0.0.1)
  -t, --threads=...   threads that serve (default: as many as the machine runs
                      at once, here ${availableParallelism()})
  -h, --help          print this text
`

/** More threads than this help nobody, and each costs a heap. */
const kMaxThreads = 256

/** What was asked for, or `help`. @throws Error with a sentence for the person who typed it */
export function readOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string', short: 'H', default: '127.0.0.1' },
      port: { type: 'string', short: 'p', default: '8443' },
      threads: { type: 'string', short: 't', default: String(availableParallelism()) },
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
