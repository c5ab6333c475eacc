// Puts the stripped addon into prebuilds/. It is compiled in a folder of its own: prebuildify empties
// build/, which a running program or test may have loaded from.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { nodeDirectory } from './node-headers.mjs'

const stage = mkdtempSync(join(tmpdir(), 'holdfast-prebuild-'))
let failed = false
try {
  for (const name of ['package.json', 'binding.gyp', 'native']) {
    cpSync(name, join(stage, name), { recursive: true })
  }
  symlinkSync(resolve('node_modules'), join(stage, 'node_modules'))
  rmSync('prebuilds', { recursive: true, force: true })
  const target = process.versions.node
  const args = ['--napi', '--strip', '--tag-libc', '-t', target, '--cwd', stage, '--out', resolve()]
  const directory = nodeDirectory()
  const env = {
    ...process.env,
    npm_config_jobs: 'max',
    ...(directory ? { npm_config_nodedir: directory } : {}),
  }
  // Its standard output would otherwise mix with what `npm pack --json` prints.
  const { status } = spawnSync(
    process.execPath,
    [resolve('node_modules/prebuildify/bin.js'), ...args],
    { env, stdio: ['ignore', 2, 2] },
  )
  failed = status !== 0
} finally {
  rmSync(stage, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0
