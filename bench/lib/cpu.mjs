import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** The calling thread, as the system numbers it; another thread may ask for its time by this. */
export function threadNumber() {
  return readlinkSync('/proc/thread-self').split('/').at(-1)
}

/** Microseconds that a thread of this process has run. */
export function threadCpuUs(number) {
  return Number(readFileSync(`/proc/self/task/${number}/schedstat`, 'latin1').split(' ')[0]) / 1000
}

/** Microseconds that all threads of this process have run. */
export function processCpuUs() {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Microseconds that all live threads of some processes have run. */
export function processesCpuUs(pids) {
  let ns = 0
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    }
  }
  return ns / 1000
}

/** How often the system has taken the processor from a thread of this process that could have gone on. */
export function timesPushedAside(number) {
  const status = readFileSync(`/proc/self/task/${number}/status`, 'latin1')
  return Number(/^nonvoluntary_ctxt_switches:\s*(\d+)/m.exec(status)[1])
}
