// What this machine has beyond the needs that README.md names.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Where the browser test looks for it. */
export function hasChromium() {
  return existsSync('/usr/bin/chromium')
}

export function hasDoctest() {
  const probe = { input: '#include <doctest/doctest.h>\n', stdio: ['pipe', 'ignore', 'ignore'] }
  return spawnSync(process.env.CXX ?? 'c++', ['-E', '-x', 'c++', '-'], probe).status === 0
}
