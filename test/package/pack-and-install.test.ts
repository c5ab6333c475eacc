import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { top } from '../helpers/repository.js'

let scratch: string
let tarball: string
let packed: string[]

interface Packed {
  filename: string
  files: { path: string }[]
}

/** Packs a folder and returns what npm says of it. */
function pack(folder: string, ...flags: string[]): Packed {
  const args = ['pack', '--json', `--pack-destination=${scratch}`, ...flags]
  const output = execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // What npm's scripts print stands before it.
  const [result] = JSON.parse(output.slice(output.search(/^\[/m))) as [Packed]
  return result
}

// A copy is packed: packing compiles into dist/, which other tests run from.
beforeAll(() => {
  scratch = mkdtempSync(join(realpathSync(tmpdir()), 'holdfast-pack-'))
  const copy = join(scratch, 'copy')
  const leftBehind = ['.git', 'node_modules', 'build', 'dist', 'prebuilds'].map((x) => join(top, x))
  cpSync(top, copy, { recursive: true, filter: (path) => !leftBehind.includes(path) })
  symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'))
  const { filename, files } = pack(copy)
  tarball = join(scratch, filename)
  packed = files.map(({ path }) => path)
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('the tarball carries the compiled sources, one binary and the documents', () => {
  const binaries = packed.filter((path) => !/\.(js|ts|json|md|cc|h|gyp|txt)$/.test(path))
  const target = `${process.platform}-${process.arch}`
  expect(binaries).toEqual(['LICENSE', `prebuilds/${target}/holdfast.glibc.node`])
  expect(packed).toEqual(
    expect.arrayContaining(['README.md', 'CHANGELOG.md', 'package.json', 'binding.gyp']),
  )
  expect(packed).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts']))
})

test('the tarball carries no demo, test, bench or configuration', () => {
  const folders = new Set(packed.map((path) => path.split('/')[0]))
  const files = ['CHANGELOG.md', 'LICENSE', 'README.md', 'binding.gyp', 'package.json']
  expect([...folders].sort()).toEqual([...files, 'dist', 'native', 'prebuilds'].sort())
  expect(packed.filter((path) => path.includes('demo'))).toEqual([])
})

test('installed where there is no compiler and no registry, two threads reach each other', () => {
  const bin = join(scratch, 'bin')
  mkdirSync(bin)
  for (const name of ['node', 'npm']) {
    const found = (process.env.PATH ?? '').split(delimiter).find((path) => {
      try {
        return realpathSync(join(path, name))
      } catch {
        return false
      }
    })
    symlinkSync(realpathSync(join(found ?? dirname(process.execPath), name)), join(bin, name))
  }
  const env = { HOME: scratch, PATH: bin, npm_config_cache: join(scratch, 'cache') }
  const empty = join(scratch, 'empty')
  mkdirSync(empty)
  writeFileSync(join(empty, 'package.json'), '{ "private": true }\n')
  expect(spawnSync('sh', ['-c', 'cc --version'], { env }).status).not.toBe(0)

  const manifest = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const dependencies = Object.keys(manifest.dependencies).map((name) =>
    pack(join(top, 'node_modules', name), '--ignore-scripts'),
  )
  const tarballs = [tarball, ...dependencies.map(({ filename }) => join(scratch, filename))]
  const install = ['install', '--offline', '--no-audit', '--no-fund', ...tarballs]
  execFileSync(join(bin, 'npm'), install, { cwd: empty, env, stdio: ['ignore', 'pipe', 'inherit'] })

  cpSync(new URL('fixtures/installed.mjs', import.meta.url), join(empty, 'installed.mjs'))
  const output = execFileSync(join(bin, 'node'), ['installed.mjs'], {
    cwd: empty,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  })
  expect(JSON.parse(output)).toEqual({ result: 'queued', received: 'across threads', holder: 1 })
})
