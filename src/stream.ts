import { LazyEmitter } from './emitter.js'
import type { HeldStream } from './held-stream.js'
import type { StreamManager } from './manager.js'
import type { SendOptions, SendResult } from './outbox.js'
import type { EventsSocket } from './socket.js'
import type { CloseReason, StreamKind } from './stream-info.js'
import type { StreamUid } from './uid.js'

/** How a stream ended. */
export interface StreamClose {
  readonly reason: CloseReason
  /** What the caller of close gave; 0 and empty otherwise. */
  readonly code: number
  readonly text: string
}

/**
 * A registered stream, on the thread that holds it. Callbacks run on that thread. The object may be
 * dropped and asked for again by `manager.get(uid)`; the stream lives on without it.
 */
export class ManagedStream extends LazyEmitter<{ close: [StreamClose] }> {
  readonly #manager: StreamManager
  readonly #held: HeldStream

  /** @internal Streams are made by `manager.register` and `manager.sse`. */
  constructor(manager: StreamManager, held: HeldStream) {
    super()
    this.#manager = manager
    this.#held = held
  }

  get uid(): StreamUid {
    return this.#held.uid
  }

  get kind(): StreamKind {
    return this.#held.kind
  }

  /** The events socket it lies on. */
  get socket(): EventsSocket {
    return this.#held.socket
  }

  /** False once it was un-registered; its `close` event was, or is being, emitted. */
  get live(): boolean {
    return this.#held.live
  }

  get detached(): boolean {
    return this.#manager.infoOf(this.#held)?.detached ?? false
  }

  get tags(): readonly string[] {
    return this.#manager.infoOf(this.#held)?.tags ?? []
  }

  /** The same as `manager.send(stream.uid, …)`. */
  send(data: string | Uint8Array, options?: SendOptions): SendResult {
    return this.#manager.send(this.uid, data, options)
  }

  /**
   * Makes the stream autonomous: the handler, its request and response may go, the stream lives until
   * it is closed or its peer leaves. A second call changes nothing.
   */
  detach(): this {
    this.#manager.detach(this.#held)
    return this
  }

  /** The same as `manager.close(stream.uid, …)`. */
  close(options?: Partial<CloseOptions>): boolean {
    return this.#manager.close(this.uid, options)
  }

  protected override onFirstListener(): void {
    // Somebody waits for an event: from now on the stream keeps its wrapper.
    if (this.#held.live) this.#held.wrapper = this
  }
}

/** How to close a stream. */
export interface CloseOptions {
  /** HTTP/2 error code to reset with; 0, the default: end gracefully. */
  code: number
  /** For the stream's `close` event and the log; the peer does not see it. */
  reason: string
}
