import { answerParent } from '../lib/peer.mjs'
import { markedData } from '../lib/event.mjs'

/**
 * A peer's process as peers.mjs drives it: publishes so many events, never more than `window` ahead of
 * the slowest stream. `publish` takes the text of one event.
 */
export function answerPublishing({ port, pids, publish }) {
  let next = 0
  let last = 0
  let most = 0
  let wake = () => {}
  answerParent({
    where: () => ({ port, pids: pids() }),
    async publish({ events, window }) {
      most = window
      for (last += events; next < last;) {
        while (next < Math.min(last, most)) await publish(markedData(next++))
        if (next < last) await new Promise((resolve) => (wake = resolve))
      }
      return {}
    },
    async progress({ rounds, window }) {
      most = rounds + window
      wake()
      return {}
    },
  })
}
