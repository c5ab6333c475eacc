// Builds native targets in a folder of their own, so that no flavour disturbs the addon in build/.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeDirectory } from './node-headers.mjs'

export const top = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * The folder where the built targets are. Ends the process when they do not build.
 * @param {string} sanitize '' or what binding.gyp knows by that name
 * @param {string[]} targets
 * @param {Record<string, string>} [environment] on top of this process's
 */
export function buildNative(sanitize, targets, environment = {}) {
  // gyp writes to build/ beside its binding.gyp; links make a flavour's folder look like the top.
  const folder = join(top, 'build', 'native-tests', sanitize || 'plain')
  mkdirSync(join(folder, 'test'), { recursive: true })
  for (const name of ['binding.gyp', 'native', 'test/native']) {
    rmSync(join(folder, name), { force: true })
    symlinkSync(join(top, name), join(folder, name))
  }
  const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
  const headers = nodeDirectory()
  const common = ['--silent', ...(headers ? [`--nodedir=${headers}`] : [])]
  const defines = ['-Dbuild_tests=true', ...(sanitize ? [`-Dsanitize=${sanitize}`] : [])]
  for (const step of [
    ['configure', '--', ...defines],
    ['build', '--jobs', 'max', ...targets],
  ]) {
    const [command, ...rest] = step
    const { status } = spawnSync(process.execPath, [gyp, command, ...common, ...rest], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: 'inherit',
    })
    if (status !== 0) process.exit(status ?? 1)
  }
  return resolve(folder, 'build/Release')
}

/** From the first line of a check's or a sanitizer's first report on, or the last words. */
export function reportIn(output) {
  const lines = output.trimEnd().split('\n')
  const first = lines.findIndex((line) => /WARNING: |ERROR: |runtime error|check failed/.test(line))
  return (first >= 0 ? lines.slice(first) : lines.slice(-10)).join('\n')
}
