import type { Http2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import { LazyEmitter } from './emitter.js'
import type { HeldStream } from './held-stream.js'
import type { SocketHome } from './holding.js'
import type { StreamManager } from './manager.js'
import type { ReactorSession } from './reactor/reactor-session.js'
import type { ManagedStream, StreamClose } from './stream.js'
import { callUser } from './uncaught.js'

export interface EventsSocketEvents {
  streamCreated: [ManagedStream]
  streamDestroyed: [ManagedStream, StreamClose]
  streamDetached: [ManagedStream]
  close: []
}

/**
 * What streams lie on: an HTTP/2 session, an HTTP/1.1 connection, or a Duplex by itself. It carries
 * its own list of streams. One thread handles it, where its callbacks run.
 */
export class EventsSocket extends LazyEmitter<EventsSocketEvents> {
  readonly #manager: StreamManager
  readonly #home: SocketHome
  /** The session, or the stream that stands for the socket. */
  readonly owner: Http2Session | Duplex | ReactorSession
  /** @internal The native index. */
  readonly index: number
  /** @internal Whether `listen` placed its connection here. */
  readonly placed: boolean
  #first: HeldStream | undefined
  #streamCount = 0
  #live = true

  /** @internal */
  constructor(
    manager: StreamManager,
    home: SocketHome,
    owner: EventsSocket['owner'],
    index: number,
    placed: boolean,
  ) {
    super()
    this.#manager = manager
    this.#home = home
    this.owner = owner
    this.index = index
    this.placed = placed
  }

  get live(): boolean {
    return this.#live
  }

  get streamCount(): number {
    return this.#streamCount
  }

  /** The socket fields of the uids its streams may carry, first its primary one. */
  get ids(): number[] {
    return this.#live ? this.#home.idsOf(this) : []
  }

  /** Its live streams, in no particular order. */
  streams(): ManagedStream[] {
    const streams: ManagedStream[] = []
    for (let held = this.#first; held; held = held.next) streams.push(this.#manager.wrap(held))
    return streams
  }

  /**
   * Closes gracefully: no new streams; it stays up while it carries streams, and closes with the last
   * of them (HTTP/2: GOAWAY, RFC 9113, section 6.8).
   */
  close(): void {
    if (this.#live) this.#home.closeGracefully(this)
  }

  /** @internal */
  add(held: HeldStream): void {
    held.next = this.#first
    if (this.#first) this.#first.previous = held
    this.#first = held
    this.#streamCount++
  }

  /** @internal */
  remove(held: HeldStream): void {
    if (held.previous) held.previous.next = held.next
    else this.#first = held.next
    if (held.next) held.next.previous = held.previous
    held.previous = held.next = undefined
    this.#streamCount--
  }

  /** @internal */
  heldStreams(): HeldStream[] {
    const all: HeldStream[] = []
    for (let held = this.#first; held; held = held.next) all.push(held)
    return all
  }

  /** @internal */
  markClosed(): void {
    this.#live = false
    callUser(() => this.emit('close'))
  }
}
