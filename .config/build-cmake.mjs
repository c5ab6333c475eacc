// The second build: native/CMakeLists.txt by cmake-js, into build/cmake. Needs no network. Then loads
// what it built, so that a library that links and does not load is noticed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeDirectory } from './node-headers.mjs'

const top = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
if (spawnSync('cmake', ['--version']).status !== 0) {
  console.log('left out: cmake build (cmake is not installed)')
  process.exit(process.env.HOLDFAST_REQUIRE_ALL === '1' ? 1 : 0)
}
const headers = nodeDirectory()
if (!headers) {
  console.error('the headers of this Node were not found; npm_config_nodedir can name their folder')
  process.exit(1)
}

const out = join(top, 'build', 'cmake')
const cli = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js')
const common = ['--directory', join(top, 'native'), '--out', out]
// Else cmake-js would download the headers that this Node already has.
const env = { ...process.env, npm_config_nodedir: headers }
const defines = [
  `--CDNODE_HEADERS=${join(headers, 'include/node')}`,
  `--CDNODE_ADDON_API=${dirname(require.resolve('node-addon-api/package.json'))}`,
]
for (const command of ['configure', 'build']) {
  const { status } = spawnSync(process.execPath, [cli, command, ...common, ...defines], {
    cwd: top,
    env,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
if (!existsSync(join(out, 'compile_commands.json'))) {
  console.error('build-cmake: no compile_commands.json was written')
  process.exit(1)
}
const addon = require(join(out, 'Release', 'holdfast.node'))
console.log(`build-cmake: built and loaded, ${Object.keys(addon).length} exports`)
