import { HoldfastError } from '../errors.js'
import { callUser } from '../uncaught.js'
import type { RequestStream } from './request-stream.js'

/**
 * A handler of the request threw, or its promise was rejected: answers 500 if nothing was sent, and
 * reports the error as an uncaught error of its own. That a peer went while it was served is no error.
 */
export function failRequest(stream: RequestStream, error: unknown): void {
  const peerWent = stream.gone && isAbort(error)
  stream.fail()
  if (peerWent) return
  callUser(() => {
    throw error
  })
}

/** Whether it says, at the bottom, that the stream went. */
function isAbort(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'AbortError') return true
    if (
      cause instanceof HoldfastError &&
      (cause.code === 'ERR_HOLDFAST_ABORTED' || cause.code === 'ERR_HOLDFAST_STREAM_DEAD')
    ) {
      return true
    }
  }
  return false
}
