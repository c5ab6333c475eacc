import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { checkRuntime } from '../../dist/platform.js'
import { top } from '../helpers/repository.js'

// What the child pretends to be, before it imports the package.
const pretences = {
  Windows: `Object.defineProperty(process, 'platform', { value: 'win32' })`,
  Bun: `Object.defineProperty(process, 'versions', { value: { ...process.versions, bun: '1.2.3' } })`,
  Deno: `Object.defineProperty(process, 'versions', { value: { ...process.versions, deno: '2.3.4' } })`,
}

test.each(Object.entries(pretences))(
  'on %s the import fails with one clear error',
  (name, pretend) => {
    const program = `${pretend}
    try {
      await import('./dist/index.js')
      console.log(JSON.stringify({ name: 'imported' }))
    } catch ({ name, code, message }) {
      console.log(JSON.stringify({ name, code, message }))
    }`
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: top,
      encoding: 'utf8',
    })
    expect(child.stderr).toBe('')
    const error = JSON.parse(child.stdout) as { message: string }
    expect(error).toMatchObject({ name: 'HoldfastError', code: 'ERR_HOLDFAST_UNSUPPORTED' })
    expect(error.message).toMatch(name === 'Windows' ? /win32/ : new RegExp(name))
  },
)

test('the supported runtimes pass', () => {
  for (const platform of ['linux', 'darwin']) checkRuntime(process.versions, platform)
})

test('without a binary the import says so', () => {
  const program = `
    process.env.PREBUILDS_ONLY = '1'
    Object.defineProperty(process, 'arch', { value: 'sparc' })
    await import('./dist/index.js').catch(({ code, cause }) => console.log(code, cause instanceof Error))`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: top,
    encoding: 'utf8',
  })
  expect(child.stdout).toBe('ERR_HOLDFAST_BINARY true\n')
})
