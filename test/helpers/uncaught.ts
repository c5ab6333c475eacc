/** The uncaught errors from now on, which otherwise end the test. */
export interface UncaughtErrors {
  readonly messages: string[]
  stop(): void
}

export function collectUncaught(): UncaughtErrors {
  const messages: string[] = []
  process.setUncaughtExceptionCaptureCallback((error) => messages.push(error.message))
  return { messages, stop: () => process.setUncaughtExceptionCaptureCallback(null) }
}
