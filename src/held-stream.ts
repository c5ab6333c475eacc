import type { Carrier } from './carrier.js'
import type { SlowReaderOptions } from './slow-policy.js'
import type { EventsSocket } from './socket.js'
import type { ManagedStream } from './stream.js'
import type { CloseReason, StreamKind } from './stream-info.js'
import type { StreamUid } from './uid.js'

/** What a caller of close said. */
export interface CloseDetail {
  /** HTTP/2 error code; 0: closed gracefully. */
  readonly code: number
  readonly text: string
}

/**
 * A registered stream as the thread that handles it holds it: all of it that lives in JavaScript.
 * Small, as there may be a hundred thousand; the `ManagedStream` that users see is made when one asks
 * for it.
 */
export class HeldStream {
  /** What the carrier knows it by. */
  readonly raw: unknown
  readonly carrier: Carrier
  slow = false
  /** The size of the write on its way that `whenOnlyTaken` is told of. */
  onlyWrite: number | undefined = undefined
  whenOnlyTaken: (() => void) | undefined = undefined
  readonly uid: StreamUid
  live = true
  corked = false
  /** Of this thread's table; of a stream on a reactor none, -1. */
  readonly handle: number
  readonly kind: StreamKind
  readonly socket: EventsSocket
  /** The neighbours in the socket's list. */
  previous: HeldStream | undefined
  next: HeldStream | undefined
  /** Weak until somebody listens: an unused wrapper must not outlive its user's interest. */
  wrapper: WeakRef<ManagedStream> | ManagedStream | undefined
  /** Why we closed it, if we did. */
  reason: CloseReason | undefined
  detail: CloseDetail | undefined
  detached = false
  readonly onGap: SlowReaderOptions['onGap']
  /** Writes that somebody waits for; called when the stream goes first. */
  awaited: Set<() => void> | undefined = undefined
  /** What its client received last, before it connected again. */
  lastEventId: string | undefined = undefined

  constructor(
    uid: StreamUid,
    handle: number,
    kind: StreamKind,
    raw: unknown,
    carrier: Carrier,
    socket: EventsSocket,
    onGap: SlowReaderOptions['onGap'],
  ) {
    this.onGap = onGap
    this.uid = uid
    this.handle = handle
    this.kind = kind
    this.raw = raw
    this.carrier = carrier
    this.socket = socket
    this.previous = undefined
    this.next = undefined
    this.wrapper = undefined
    this.reason = undefined
    this.detail = undefined
  }

  existingWrapper(): ManagedStream | undefined {
    return this.wrapper instanceof WeakRef ? this.wrapper.deref() : this.wrapper
  }
}
