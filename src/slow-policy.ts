import { HoldfastError } from './errors.js'
import type { SendOptions } from './message.js'

/**
 * What becomes of a message for a stream that has its budget waiting: it is refused (`drop`); those
 * that wait longest are dropped for it (`drop-oldest`); of those that wait, the latest of each `key`
 * is kept, and then the oldest dropped (`latest`; never for messages that build on one another); it
 * is refused and the stream reset with ENHANCE_YOUR_CALM (`disconnect`; RFC 9113, section 7). In the
 * order of native/core/stream_facts.h.
 */
export const slowPolicies = ['drop', 'drop-oldest', 'latest', 'disconnect'] as const
export type SlowPolicy = (typeof slowPolicies)[number]

/** A message that tells a stream's reader that others before it were dropped. */
export interface GapMessage {
  readonly data: string | Uint8Array
  readonly options?: SendOptions
}

/** How a stream treats a reader that is slow. */
export interface SlowReaderOptions {
  /** Default: `onSlow` of `StreamManager.open`. */
  onSlow?: SlowPolicy
  /**
   * Called on this thread when messages were dropped and the stream takes messages again; what it
   * returns is sent in their place. With `drop` the stream takes none until all that waits is gone.
   */
  onGap?: () => GapMessage | undefined
}

/** Where a policy stands in the list; -1: none was given. @throws ERR_HOLDFAST_INVALID_OPTION */
export function policyIndex(onSlow: unknown): number {
  if (onSlow === undefined) return -1
  const index = slowPolicies.indexOf(onSlow as SlowPolicy)
  if (index >= 0) return index
  throw new HoldfastError(
    'ERR_HOLDFAST_INVALID_OPTION',
    `onSlow must be one of ${slowPolicies.join(', ')}`,
  )
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkSlowReader(options: SlowReaderOptions): void {
  policyIndex(options.onSlow)
  const onGap: unknown = options.onGap
  if (onGap !== undefined && typeof onGap !== 'function') {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', 'onGap must be a function')
  }
}
