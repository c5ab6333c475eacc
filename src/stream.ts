import { LazyEmitter } from './emitter.js'
import { HoldfastError } from './errors.js'
import type { HeldStream } from './held-stream.js'
import type { StreamManager } from './manager.js'
import type { SendOptions } from './message.js'
import type { SendResult } from './outbox.js'
import type { EventsSocket } from './socket.js'
import type { CloseReason, StreamKind } from './stream-info.js'
import type { SubscribeOptions } from './topic-options.js'
import type { StreamUid } from './uid.js'

export interface ManagedStreamEvents {
  close: [StreamClose]
  /**
   * Its reader is behind: more than half its budget waits for it, or a message was dropped for a
   * later one. `drain` follows when at most a quarter waits, none of it held back.
   */
  slow: []
  drain: []
}

/** How a stream ended. */
export interface StreamClose {
  readonly reason: CloseReason
  /**
   * What the caller of close gave; 0 and empty otherwise. Of a WebSocket, its close code: the peer's
   * (1005 if it gave none), that of its fault, or 1006 if it left without a Close frame.
   */
  readonly code: number
  readonly text: string
}

/**
 * A registered stream, or one that will be when its uid is asked for, on the thread that holds it. Callbacks run on that thread. The object may be
 * dropped and asked for again by `manager.get(uid)`; the stream lives on without it.
 */
export class ManagedStream<
  Events extends { [K in keyof Events]: unknown[] } & ManagedStreamEvents = ManagedStreamEvents,
> extends LazyEmitter<Events> {
  readonly #manager: StreamManager
  #held: HeldStream | undefined
  /** Of one that went before it was registered. */
  #endTold = false

  /** @internal Streams are made by `manager.register` and `manager.sse`, and for each request. */
  constructor(manager: StreamManager, held: HeldStream | undefined) {
    super()
    this.#manager = manager
    this.#held = held
  }

  get uid(): StreamUid {
    return this.#registered.uid
  }

  get kind(): StreamKind {
    return this.#registered.kind
  }

  /** The events socket it lies on. */
  get socket(): EventsSocket {
    return this.#registered.socket
  }

  /** False once it was un-registered; its `close` event was, or is being, emitted. */
  get live(): boolean {
    return this.#held?.live ?? !this.gone
  }

  get detached(): boolean {
    return this.#held?.live === true && this.#held.detached
  }

  get tags(): readonly string[] {
    return (this.#held && this.#manager.infoOf(this.#held)?.tags) ?? []
  }

  /**
   * Of an event stream: the id of the last event its client received before it connected again, as the
   * client says. Undefined if it is new. Any text: nothing vouches for it.
   */
  get lastEventId(): string | undefined {
    return this.#held?.lastEventId
  }

  /** Bytes taken by `send` and not yet by the socket. */
  get queuedBytes(): number {
    return (this.#held && this.#manager.infoOf(this.#held)?.queuedBytes) ?? 0
  }

  /** The same as `manager.send(stream.uid, …)`. */
  send(data: string | Uint8Array, options?: SendOptions): SendResult {
    const held = this.#registeredUnlessGone
    return held ? this.#manager.send(held.uid, data, options) : 'gone'
  }

  /** @internal The same as `manager.sendAndWait(stream.uid, …)`. */
  sendAndWait(data: string | Uint8Array, options?: SendOptions): Promise<void> {
    return this.#manager.sendAndWait(this.uid, data, options)
  }

  /**
   * Makes it a member of a topic, until it closes. False if it is one already, or gone.
   *
   * With `after`, what a kept topic (`manager.setTopic`) has of the messages behind that one is sent
   * first; none is missed between the two, and none comes twice. Where some are gone, `onGap` is asked
   * once for what stands in their place; without it, an event stream is sent an event `gap`.
   * @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_CLOSED
   */
  subscribe(topic: string, options?: SubscribeOptions): boolean {
    const held = this.#registeredUnlessGone
    return held !== undefined && this.#manager.subscribe(held, topic, options)
  }

  /** False if it was no member. @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED */
  unsubscribe(topic: string): boolean {
    return this.#held !== undefined && this.#manager.unsubscribe(this.#held, topic)
  }

  /** The topics it is a member of. @throws ERR_HOLDFAST_CLOSED */
  get topics(): readonly string[] {
    return this.#held === undefined ? [] : this.#manager.topicsOf(this.#held)
  }

  /**
   * Makes the stream autonomous: the handler, its request and response may go, the stream lives until
   * it is closed or its peer leaves. A second call changes nothing.
   */
  detach(): this {
    const held = this.#registeredUnlessGone
    if (held) this.#manager.detach(held)
    return this
  }

  /** The same as `manager.close(stream.uid, …)`. */
  close(options?: Partial<CloseOptions>): boolean {
    const held = this.#registeredUnlessGone
    return held !== undefined && this.#manager.close(held.uid, options)
  }

  /** @internal */
  get held(): HeldStream | undefined {
    return this.#held
  }

  /** @internal Called when it was registered after it was made. */
  becomeHeld(held: HeldStream): void {
    this.#held = held
  }

  protected override onListener(event: keyof Events): void {
    const held = this.#registeredUnlessGone
    // It ended before anybody knew it.
    if (!held) {
      if (event !== 'close' || this.#endTold) return
      this.#endTold = true
      this.whenOver?.((reason) => {
        const close: ManagedStreamEvents['close'] = [{ reason, code: 0, text: '' }]
        this.emit('close', ...(close as Events['close']))
      })
      return
    }
    // Somebody waits for an event: from now on the stream keeps its wrapper.
    if (held.live) held.wrapper = this
  }

  /** Whether it is over without having been registered. */
  protected get gone(): boolean {
    return false
  }

  /** Of one that ended without having been registered: calls when it is over, in a later tick. */
  protected whenOver?(call: (reason: CloseReason) => void): void

  get #registered(): HeldStream {
    return this.#held ?? this.#manager.holdRequest(this)
  }

  get #registeredUnlessGone(): HeldStream | undefined {
    if (this.#held) return this.#held
    if (this.gone) return undefined
    try {
      return this.#registered
    } catch (error) {
      // It was ended here, or a reactor knows of the end before this thread does.
      if (error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_STREAM_DEAD') {
        return undefined
      }
      throw error
    }
  }
}

/** How to close a stream. */
export interface CloseOptions {
  /**
   * HTTP/2 error code to reset with; 0, the default: end gracefully. A WebSocket ends gracefully with
   * a close code of its own, 1000 to 4999 (RFC 6455, section 7.4); 0 means 1000. Below that it is
   * reset like any other, and its peer sees no Close frame.
   */
  code: number
  /**
   * For the stream's `close` event and the log; the peer does not see it, but in the Close frame of a
   * WebSocket, where it may take 123 bytes.
   */
  reason: string
}
