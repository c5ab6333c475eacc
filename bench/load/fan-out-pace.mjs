import { quantile } from '../lib/statistics.mjs'

/**
 * Calls `tick` so many times, one each `intervalMs`; late ones follow one turn of the loop apart.
 * Resolves with how late they came, in milliseconds, all but the latest hundredth.
 */
export async function pace(ticks, intervalMs, tick) {
  const start = performance.now()
  const late = []
  for (let i = 0; i < ticks; i++) {
    const due = start + i * intervalMs
    const wait = due - performance.now()
    await new Promise((resolve) => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)))
    late.push(performance.now() - due)
    tick()
  }
  return quantile(late, 0.99)
}
