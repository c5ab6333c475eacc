import { spawnSync } from 'node:child_process'

/** Why the native trials cannot run here; undefined if they can. */
export function missing() {
  const { status } = spawnSync(process.env.CXX ?? 'c++', ['-E', '-x', 'c++', '-'], {
    input: '#include <benchmark/benchmark.h>\n',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  return status === 0 ? undefined : 'google-benchmark is not installed (Debian: libbenchmark-dev)'
}
