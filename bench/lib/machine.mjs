import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'

/** What a figure means nothing without. */
export function machineFacts() {
  return {
    commit: commit(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    governor: governor(),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}

function git(...words) {
  const { status, stdout } = spawnSync('git', words, { encoding: 'utf8', cwd: import.meta.dirname })
  return status === 0 ? stdout.trim() : undefined
}

function commit() {
  const hash = git('rev-parse', '--short', 'HEAD')
  if (hash === undefined) return 'none'
  return git('status', '--porcelain') === '' ? hash : `${hash} and changes`
}

function governor() {
  try {
    return readFileSync('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor', 'utf8').trim()
  } catch {
    return 'unknown' // a virtual machine does not tell
  }
}
