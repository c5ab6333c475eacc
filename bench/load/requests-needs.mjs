import { spawnSync } from 'node:child_process'

/** Why the trial cannot run here; undefined if it can. */
export function missing() {
  const { status } = spawnSync('h2load', ['--version'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'h2load is not installed (Debian: nghttp2-client)'
}
