// What a trial says to bench/run.mjs, which started it in a process of its own.

/** The trial's parameters, from the command line; `defaults` when it is run by hand. */
export function parameters(defaults) {
  used = { ...defaults, ...JSON.parse(process.argv[2] ?? '{}') }
  return used
}
let used = {}

/** Collects what must add up. A trial without a check is not verified. */
export class Checks {
  #checks = []

  /** Two counts, taken on the two sides of what is measured. */
  equal(name, expected, actual) {
    this.#checks.push({ name, expected, actual, ok: Object.is(expected, actual) })
  }

  /** A count that must not be zero, so that nothing is verified by having done nothing. */
  positive(name, actual) {
    this.#checks.push({ name, expected: '> 0', actual, ok: actual > 0 })
  }

  get all() {
    return this.#checks
  }
}

/** Ends the trial: `results` are rows of one table. */
export function finish(results, checks) {
  process.stdout.write(
    `${JSON.stringify({ parameters: used, results, checks: checks.all })}\n`,
    () => process.exit(0),
  )
}
