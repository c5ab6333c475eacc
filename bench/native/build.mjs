// Builds native_bench in build/bench, apart from the addon in build/.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { nodeDirectory } from '../../.config/node-headers.mjs'

const top = dirname(dirname(import.meta.dirname))

/** The path of the program. Throws when it does not compile. */
export function buildNativeBench() {
  // gyp writes to build/ beside its binding.gyp; links make the folder look like the top.
  const folder = join(top, 'build', 'bench')
  mkdirSync(join(folder, 'bench'), { recursive: true })
  for (const name of ['binding.gyp', 'native', 'bench/native']) {
    rmSync(join(folder, name), { force: true })
    symlinkSync(join(top, name), join(folder, name))
  }
  const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
  const headers = nodeDirectory()
  const common = ['--silent', ...(headers ? [`--nodedir=${headers}`] : [])]
  for (const step of [
    ['configure', ...common, '--', '-Dbuild_bench=true'],
    ['build', ...common, '--jobs', 'max', 'native_bench'],
  ]) {
    // Standard output is the trial's.
    const { status } = spawnSync(process.execPath, [gyp, ...step], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    })
    if (status !== 0) throw new Error(`node-gyp ${step[0]} failed`)
  }
  return join(folder, 'build/Release/native_bench')
}
