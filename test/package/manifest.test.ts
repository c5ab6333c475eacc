import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as holdfast from '../../dist/index.js'
import { readText, top } from '../helpers/repository.js'

interface Manifest {
  type: string
  gypfile: boolean
  engines: Record<string, string>
  scripts: Record<string, string>
  dependencies: Record<string, string>
}
const manifest = JSON.parse(readText('package.json')) as Manifest

test('nothing runs when the package is installed', () => {
  const hooks = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare']
  expect(hooks.filter((hook) => hook in manifest.scripts)).toEqual([])
  // Without it npm compiles wherever it sees a binding.gyp.
  expect(manifest.gypfile).toBe(false)
})

test('the package is an ES module for Node 20 with two dependencies', () => {
  expect(manifest.type).toBe('module')
  expect(manifest.engines).toEqual({ node: '>=20.19' })
  expect(Object.keys(manifest.dependencies)).toEqual(['node-gyp-build', 'ws'])
})

test('every file that a script runs exists', () => {
  const files = Object.values(manifest.scripts)
    .flatMap((script) => script.match(/(\.config|bench)\/[\w./-]+/g) ?? [])
    .filter((file) => !existsSync(join(top, file)))
  expect(files).toEqual([])
})

test('the public names are these', () => {
  expect(Object.keys(holdfast).sort()).toEqual([
    'EventsSocket',
    'HoldfastError',
    'ManagedStream',
    'RequestStream',
    'StreamManager',
    'WebSocketFace',
    'WebSocketStream',
    'errorCodes',
    'fetchListener',
    'formatUid',
    'isUid',
    'parseUid',
  ])
})

test('README.md lists every error code, and no other', () => {
  const codes = new Set(readText('README.md').match(/ERR_HOLDFAST_[A-Z_]*[A-Z]/g))
  expect([...codes].sort()).toEqual(Object.keys(holdfast.errorCodes).sort())
})

test('CHANGELOG.md speaks of the version in package.json', () => {
  const { version } = JSON.parse(readText('package.json')) as { version: string }
  expect(readText('CHANGELOG.md')).toContain(`## ${version}\n`)
})
