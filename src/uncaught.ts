/**
 * Runs a user's callback. What it throws becomes an uncaught error of its own, so that what we have
 * still to do is not lost with it.
 */
export function callUser(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    throwLater(error)
  }
}

export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
