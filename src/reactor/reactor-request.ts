import type { HeldStream } from '../held-stream.js'
import type { ClientIdentity } from '../request/client-identity.js'
import type { Fields } from '../request/fields.js'
import type { Pieces } from '../request/pieces.js'
import type { RequestClose, RequestSink } from '../request/request-carrier.js'
import type { CloseReason } from '../stream-info.js'
import type { LongAnswer } from './long-answer.js'

/** Most requests have no body, and so no trailers. */
const kNone: Fields = Object.freeze({})

interface PendingWrite {
  readonly bytes: number
  readonly done: () => void
}

/**
 * A request that lives on a reactor, as the thread that was given it holds it: where it is, and what
 * was said of it so far. Light, as there may be very many and most are answered at once.
 */
export class ReactorRequest {
  readonly reactor: number
  readonly slot: number
  readonly generation: number
  /** Its session, by place and generation. */
  readonly socket: number
  readonly socketGeneration: number
  readonly isHead: boolean
  readonly hasBody: boolean
  /** Only where TLS has asked who it is: elsewhere a request has no room for it. */
  declare client?: ClientIdentity
  /** The final head of the answer was handed on. */
  headersSent = false
  /** The answer was ended. */
  ended = false
  /** It was reset from here. */
  reset = false
  /** The body is wanted, or no more of it. */
  reading = false
  discarded = false
  /** The reactor was found to have ended it; that is told in a moment. */
  gone = false
  /** How it ended, once that was told. */
  over: RequestClose | undefined
  reason: CloseReason = 'end'
  sink: RequestSink | undefined
  /** What of the body came before it was read. */
  early: Pieces | undefined
  /** The body is whole. */
  trailers: Fields | undefined
  held: HeldStream | undefined
  /** What of the answer the reactor was not given yet. */
  long: LongAnswer | undefined
  /** This thread has asked the reactor to close it. */
  closeNoted = false
  #pending: PendingWrite[] | undefined
  #taken = 0

  constructor(
    reactor: number,
    slot: number,
    generation: number,
    socket: number,
    socketGeneration: number,
    isHead: boolean,
    hasBody: boolean,
  ) {
    this.reactor = reactor
    this.slot = slot
    this.generation = generation
    this.socket = socket
    this.socketGeneration = socketGeneration
    this.isHead = isHead
    this.hasBody = hasBody
    if (!hasBody) this.trailers = kNone
  }

  /** Whether it is over, as far as this thread was told or has said. */
  get closed(): boolean {
    return this.reset || this.gone || this.over !== undefined
  }

  /** `done` is called when so many bytes more were taken. */
  awaitTaken(bytes: number, done: () => void): void {
    ;(this.#pending ??= []).push({ bytes, done })
  }

  /** So many bytes have left, or never will. */
  taken(bytes: number): void {
    const pending = this.#pending
    this.#taken += bytes
    while (pending?.[0] && pending[0].bytes <= this.#taken) {
      const { bytes: size, done } = pending.shift()!
      this.#taken -= size
      done()
    }
  }

  takenAll(): void {
    const pending = this.#pending
    this.#pending = undefined
    for (const { done } of pending ?? []) done()
    this.long?.drop()
    this.long = undefined
  }
}
