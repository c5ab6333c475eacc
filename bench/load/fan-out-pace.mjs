/** Calls `tick` so many times, one each `intervalMs`; late ones follow one turn of the loop apart. */
export async function pace(ticks, intervalMs, tick) {
  const start = performance.now()
  for (let i = 0; i < ticks; i++) {
    const wait = start + i * intervalMs - performance.now()
    await new Promise((resolve) => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)))
    tick()
  }
}
