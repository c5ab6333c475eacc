import { spawn, type ChildProcess } from 'node:child_process'
import { until } from './wait.js'

/** One of the demos, as its command runs it. */
export interface Demo {
  readonly child: ChildProcess
  readonly url: string
  /** What it wrote to its standard error. */
  readonly complaints: string[]
}

const demos: Demo[] = []

export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null

/** Starts a script of dist/demo on two threads and a port of its own. */
export async function launchDemo(script: string, ...nodeOptions: string[]): Promise<Demo> {
  const args = [...nodeOptions, `dist/demo/${script}`, '--port', '0', '--threads', '2']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const complaints: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text))
  const started = { child, url: '', complaints }
  demos.push(started)
  await until('the server says where it is', () => /https:\S+/.test(output) || hasEnded(child))
  return Object.assign(started, { url: /https:\S+/.exec(output)?.[0] ?? '' })
}

/** Ends what a failed test left. */
export function killDemos(): void {
  for (const { child } of demos) if (!hasEnded(child)) child.kill('SIGKILL')
}

/** At SIGUSR2 the thread of the lowest number throws where nobody catches it. */
const fault = `import { isMainThread, threadId } from 'node:worker_threads'
const channel = new BroadcastChannel('fault')
channel.unref()
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage(1))
else if (threadId === 1) channel.onmessage = () => { throw new Error('planted') }`

/** As the options of node that make it so. */
export const plantFault = ['--import', `data:text/javascript,${encodeURIComponent(fault)}`]
