// What this machine has beyond the needs that README.md names.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Where the browser test looks for it. */
export function hasChromium() {
  return existsSync('/usr/bin/chromium')
}

export function hasDoctest() {
  const probe = { input: '#include <doctest/doctest.h>\n', stdio: ['pipe', 'ignore', 'ignore'] }
  // As make takes it, with a wrapper in front of it perhaps.
  const [compiler, ...words] = (process.env.CXX ?? 'c++').split(' ')
  return spawnSync(compiler, [...words, '-E', '-x', 'c++', '-'], probe).status === 0
}
