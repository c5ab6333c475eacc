import type { HeldStream } from './held-stream.js'
import type { StreamManager } from './manager.js'
import type { EventsSocket } from './socket.js'
import type { SlowReaderOptions } from './slow-policy.js'
import type { CloseReason, StreamKind } from './stream-info.js'
import { callUser } from './uncaught.js'

/** What a stream is to be registered as, checked. */
export interface Registration {
  readonly kind: StreamKind
  /** As the native side keeps them. */
  readonly tagText: string
  /** -1: the process's own. */
  readonly policy: number
  readonly onGap: SlowReaderOptions['onGap']
}

/**
 * One way of holding streams: those of node's own servers, on this thread, or those of requests that
 * live on a reactor. StreamHolder is before both, and does what is the same for all.
 */
export interface Holding<Target> {
  /** The stream that the target was registered as, if it is. */
  heldOn(target: Target): HeldStream | undefined
  /** @throws why it cannot be; nothing has changed then */
  register(target: Target, registration: Registration): HeldStream
  detach(held: HeldStream): void
  /** It ends by itself from here on: nothing more is taken for it. */
  markClosing(held: HeldStream): void
  /** Ends every stream and session, as the manager closes. */
  closeAll(): void
}

/** What an events socket asks of whoever made it. */
export interface SocketHome {
  idsOf(socket: EventsSocket): number[]
  closeGracefully(socket: EventsSocket): void
}

/** Tells everybody of a stream's end, once; it is un-registered. */
export function announceEnd(manager: StreamManager, held: HeldStream, reason: CloseReason): void {
  const { carrier, socket } = held
  socket.remove(held)
  const { code, text } = carrier.farewell?.() ?? held.detail ?? { code: 0, text: '' }
  const close = { reason, code, text }
  const wrapper = held.existingWrapper()
  held.wrapper = undefined
  if (wrapper) callUser(() => wrapper.emit('close', close))
  carrier.released?.(close)
  if (socket.listenerCount('streamDestroyed') > 0) {
    const destroyed = wrapper ?? manager.wrap(held)
    callUser(() => socket.emit('streamDestroyed', destroyed, close))
  }
}
