import type { HeldStream } from './held-stream.js'
import type { Outbox } from './outbox.js'
import type { GapMessage } from './slow-policy.js'
import { callUser } from './uncaught.js'

/**
 * Sends what is to stand where messages are missing, if anything, ahead of all that waits; whether it
 * did. `asked`: a reactor waits for it, whose stream takes no others until then.
 */
export function markGap(
  held: HeldStream,
  outbox: Outbox,
  isOpen: () => boolean,
  asked: boolean,
  message: () => GapMessage | undefined = () => held.onGap?.(),
): boolean {
  let isSent = false
  callUser(() => {
    const mark = message()
    // The application's own code may have closed the manager.
    if (mark && isOpen()) isSent = outbox.sendMark(held, mark, asked)
  })
  return isSent
}
