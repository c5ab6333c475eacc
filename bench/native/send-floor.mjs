// Builds and runs send_floor.cc, which needs a C++ compiler and nothing else.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const top = join(import.meta.dirname, '..', '..')

/** The path of the program; undefined where nothing compiles it. */
export function buildSendFloor() {
  const folder = join(top, 'build', 'bench')
  mkdirSync(folder, { recursive: true })
  const program = join(folder, 'send_floor')
  const source = join(import.meta.dirname, 'send_floor.cc')
  const [compiler, ...words] = (process.env.CXX ?? 'c++').split(' ')
  const options = ['-O2', '-std=c++17', '-pthread', source, '-o', program]
  const { status } = spawnSync(compiler, [...words, ...options], { stdio: ['ignore', 2, 2] })
  return status === 0 ? program : undefined
}

/** Microseconds of CPU of one send, and the bytes that went in and came out. */
export function runSendFloor(program, { connections, bytes, rounds }) {
  const text = execFileSync(program, [connections, bytes, rounds].map(String), { encoding: 'utf8' })
  const { sends, sent, received, cpuUs } = JSON.parse(text)
  return { us: cpuUs / sends, sends, sent, received }
}
