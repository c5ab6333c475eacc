import type { HeldStream } from './held-stream.js'
import type { Outbox } from './outbox.js'
import type { GapMessage } from './slow-policy.js'
import { callUser } from './uncaught.js'

/** Sends what is to stand where messages are missing, if anything, ahead of all that waits. */
export function markGap(
  held: HeldStream,
  outbox: Outbox,
  isOpen: () => boolean,
  message: () => GapMessage | undefined = () => held.onGap?.(),
): void {
  callUser(() => {
    const mark = message()
    // The application's own code may have closed the manager.
    if (mark && isOpen()) outbox.sendAhead(held, mark.data, mark.options)
  })
}
