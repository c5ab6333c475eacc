import { markGap } from './gap-mark.js'
import type { HeldStream } from './held-stream.js'
import { scratch } from './memory.js'
import { native } from './native.js'
import type { Outbox } from './outbox.js'
import type { GapMessage } from './slow-policy.js'
import { encodeTopic } from './topics.js'

/** The event that stands where messages are missing, unless the stream has an `onGap`. */
export const kGapEvent = 'gap'

/**
 * Makes the stream a member of the topic behind the message `after`, with what was missed first. Where
 * some of that is not there any more, it is told so once, before the rest.
 */
export function resume(
  held: HeldStream,
  topic: string,
  after: string,
  outbox: Outbox,
  isOpen: () => boolean,
): boolean {
  for (const gapTold of [false, true]) {
    const topicBytes = encodeTopic(topic)
    const afterBytes = scratch.write(after, topicBytes)
    const result = native.subscribeAfter(held.uid, topicBytes, afterBytes, gapTold)
    if (typeof result === 'number') {
      outbox.tellSlow()
      return result === 1
    }
    if (typeof result !== 'string') {
      outbox.writeReserved(held, result)
      return true
    }
    markGap(held, outbox, isOpen, false, () => gapMessage(held, topic, result))
    // Its own code may have closed it, or the manager.
    if (!held.live || held.reason || !isOpen()) break
  }
  return false
}

/** With the id of what is before the rest, so that the client comes back from there. */
function gapMessage(held: HeldStream, topic: string, at: string): GapMessage | undefined {
  const { onGap } = held
  const message =
    onGap?.() ??
    (onGap || held.kind !== 'sse' ? undefined : { data: topic, options: { event: kGapEvent } })
  if (!message || at === '') return message
  return { ...message, options: { id: at, ...message.options } }
}
