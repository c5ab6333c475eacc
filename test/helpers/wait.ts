/** Waits until `condition` holds; fails with what was waited for when the deadline passes. */
export async function until(
  what: string,
  condition: () => unknown,
  deadlineMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
