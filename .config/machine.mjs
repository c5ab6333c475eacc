// What this machine has beyond the needs that README.md names.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export function hasChromium() {
  return onPath('chromium') || onPath('chromium-browser')
}

export function hasDoctest() {
  const probe = { input: '#include <doctest/doctest.h>\n', stdio: ['pipe', 'ignore', 'ignore'] }
  return spawnSync(process.env.CXX ?? 'c++', ['-E', '-x', 'c++', '-'], probe).status === 0
}
