// Lets clang check the lock annotations of native/, file by file; with --headers also that each
// header compiles alone. No code is made: g++ or clang builds what ships.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeDirectory } from './node-headers.mjs'

const top = dirname(dirname(fileURLToPath(import.meta.url)))
const clang = ['clang++-19', 'clang++'].find((name) => spawnSync(name, ['--version']).status === 0)
if (!clang) {
  console.log('left out: thread-safety analysis (clang is not installed)')
  process.exit(process.env.HOLDFAST_REQUIRE_ALL === '1' ? 1 : 0)
}
const headers = nodeDirectory()
if (!headers) {
  console.error('the headers of this Node were not found; npm_config_nodedir can name their folder')
  process.exit(1)
}

const flags = [
  '-std=c++20',
  '-fsyntax-only',
  '-Wall',
  '-Wextra',
  '-Wshadow',
  '-Wthread-safety',
  '-Wthread-safety-beta',
  '-Werror',
  `-I${join(top, 'native')}`,
]
// Only these layers may see Node, and only they are given its headers; as system headers, since
// their warnings are not ours to mend.
const nodeFlags = [
  '-DNAPI_VERSION=8',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  '-DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED',
  '-isystem',
  join(headers, 'include/node'),
  '-isystem',
  dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json')),
]

const ending = process.argv.includes('--headers') ? /\.(cc|h)$/ : /\.cc$/
const foreign = platform() === 'darwin' ? /epoll_|_linux\./ : /kqueue_|_darwin\./
const files = readdirSync(join(top, 'native'), { recursive: true })
  .filter((file) => ending.test(file) && !foreign.test(file))
  .sort()

function check(file) {
  const node = /^(binding|loop)\//.test(file) ? nodeFlags : []
  // A header is compiled as if it were a source: whatever it needs, it must include.
  const language = file.endsWith('.h') ? ['-Wno-pragma-once-outside-header', '-x', 'c++'] : []
  return new Promise((resolve) => {
    const source = join(top, 'native', file)
    const child = spawn(clang, [...flags, ...node, ...language, source], { stdio: 'inherit' })
    child.on('close', (status) => resolve(status === 0))
  })
}

let failed = 0
const queue = [...files]
async function work() {
  for (let file = queue.shift(); file; file = queue.shift()) {
    if (await check(file)) continue
    failed++
    console.error(`thread-safety: native/${file} failed`)
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(`thread-safety: ${files.length} files, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
