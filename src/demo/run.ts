import { StreamManager, type ManagerOptions } from '../index.js'
import { makeCertificate } from './certificate.js'
import { readOptions, usageOf, type DemoCommand, type DemoOptions } from './options.js'
import { ThreadPool } from './thread-pool.js'

/** A server of several threads and one port, as a command. */
export interface Demo extends DemoCommand {
  /** What each serving thread runs. */
  readonly thread: URL
  /** What each serving thread is given beside its certificate. */
  readonly workerData?: Readonly<Record<string, unknown>>
  readonly manager?: ManagerOptions
  /** What this thread does beside listening, once all others serve. */
  watch?(manager: StreamManager): void
  /** What stands behind "holdfast" in the first line it prints. */
  greet(url: string): string
}

/** What a shell calls a process that SIGINT ended. */
const kInterrupted = 130
/** npm passes on the SIGINT that the terminal has already sent to everyone: one Ctrl-C comes twice. */
const kOneKeyMs = 500

export function runDemo(demo: Demo): void {
  try {
    const options = readOptions(process.argv.slice(2), demo)
    if (options === 'help') process.stdout.write(usageOf(demo))
    else serve(demo, options).catch(fail)
  } catch (error) {
    console.error(`holdfast: ${(error as Error).message}\n`)
    process.stderr.write(usageOf(demo))
    process.exitCode = 9
  }
}

async function serve(demo: Demo, options: DemoOptions): Promise<void> {
  // This thread listens and holds no streams: it never calls `accept`.
  const manager = StreamManager.open(demo.manager)
  const certificate = await makeCertificate(options.host)
  const pool = new ThreadPool(demo.thread, { ...demo.workerData, ...certificate })
  const { port, address } = await manager.listen({ port: options.port, host: options.host })

  let stoppingSince: number | undefined
  const stop = (): void => {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince > kOneKeyMs) process.exit(kInterrupted)
      return
    }
    stoppingSince = Date.now()
    console.log('\nClosing the streams.')
    pool
      .stop()
      .then(() => manager.close())
      .catch(fail)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  manager.on('workerExit', ({ worker, streams }) => {
    if (stoppingSince !== undefined) return
    console.error(`Thread ${worker} ended and took ${streams} streams along; another replaces it.`)
  })

  await pool.start(options.threads)
  if (stoppingSince !== undefined) return
  demo.watch?.(manager)
  const local = /^(127\.|::1$)/.test(address)
  const url = `https://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}/`
  console.log(`
  holdfast ${demo.greet(url)}
  on ${options.threads} ${options.threads === 1 ? 'thread' : 'threads'}, one port.

  The certificate was made just now and nobody vouches for it: your browser
  asks once whether to go on.${local ? '' : '\n  Whoever reaches this address can read and send.'}

  Ctrl-C stops it.
`)
}

function fail(error: unknown): void {
  console.error(`holdfast: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
