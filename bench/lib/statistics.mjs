/** ns of the monotonic clock, which all threads and processes of a machine share. */
export function nowNs() {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e9 + nanoseconds
}

export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN
}

export function median(values) {
  return quantile(values, 0.5)
}

/** To three significant digits: more would be noise. */
export function round(value) {
  return Number(value.toPrecision(3))
}

/** A new order each round, so that no contender always runs behind the same one. */
export function shuffled(values) {
  const copy = [...values]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j], copy[i]]
  }
  return copy
}
