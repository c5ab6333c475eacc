import type { Duplex } from 'node:stream'
import type { HeldStream } from './held-stream.js'
import { native } from './native.js'
import { throwLater } from './uncaught.js'
import { UnwatchedWrites } from './unwatched-writes.js'
import { outcomes, type Outcome } from './waiting.js'

/** What comes of writing to a stream. */
export interface WriteEvents {
  slow(stream: HeldStream): void
  drain(stream: HeldStream): void
  /** Messages were dropped, and what waited before them is gone. */
  gap(stream: HeldStream): void
}

/** In the answer of `native.taken`. */
const kGap = 1
const kLow = 2

/** To look after fewer writes costs more than that their carrier tells of each. */
const kMany = 16

/** Of a larger one that cost is nothing, and it makes room sooner. */
const kSmall = 16 << 10

/** Hands bytes that are reserved to streams of this thread, and gives the room back when they left. */
export class StreamWrites {
  readonly #events: WriteEvents
  /** Streams with more waiting are slow: half a budget. */
  #high = Infinity
  #turnedSlow: HeldStream[] = []
  readonly #unwatched = new UnwatchedWrites((stream) => this.#taken(stream, 0))

  constructor(events: WriteEvents) {
    this.#events = events
  }

  /** What the process's options are is known only when it is open. */
  configure(budget: number): void {
    this.#high = budget / 2
  }

  /**
   * False, with nothing done, if the stream has ended. `settle` is called once, when the socket took
   * the bytes or when it never will. Whoever has written is to call `tellSlow`.
   */
  write(
    stream: HeldStream | undefined,
    bytes: Buffer,
    settle?: (outcome: Outcome) => void,
  ): stream is HeldStream {
    if (!stream || stream.carrier.ended(stream.raw)) return false
    this.#hand(stream, bytes, this.#whenTaken(stream, bytes.length, settle))
    return true
  }

  /** The same of bytes that go to so many streams at once. */
  writeOneOf(streams: number, stream: HeldStream | undefined, bytes: Buffer): stream is HeldStream {
    if (!stream || stream.carrier.ended(stream.raw)) return false
    const size = bytes.length
    const unwatched = streams >= kMany && stream.carrier.left !== undefined
    if (unwatched && stream.waiting === 0 && size <= kSmall) {
      stream.unwatched = size
      this.#hand(stream, bytes, undefined)
      this.#unwatched.add(stream)
    } else {
      this.#hand(stream, bytes, this.#whenTaken(stream, size))
    }
    return true
  }

  #hand(stream: HeldStream, bytes: Buffer, done: ((error?: unknown) => void) | undefined): void {
    stream.waiting += bytes.length
    try {
      stream.carrier.write(stream.raw, bytes, done)
    } catch (error) {
      throwLater(error) // of a Duplex's own code; the bytes are with it
    }
    if (stream.waiting > this.#high) this.markSlow(stream)
  }

  /** Much waits for it, here or where it is held back. Whoever says so is to call `tellSlow`. */
  markSlow(stream: HeldStream | undefined): void {
    if (!stream || stream.slow) return
    this.#mark(stream, true)
    this.#turnedSlow.push(stream)
  }

  /**
   * Tells of streams that writes have made slow. Not in the middle of a batch or a publish: what its
   * listeners send would come before what they have sent already.
   */
  tellSlow(): void {
    if (this.#turnedSlow.length === 0) return
    const slow = this.#turnedSlow
    this.#turnedSlow = []
    for (const stream of slow) this.#events.slow(stream)
  }

  /** The end of a write. The usual one, with no other on its way, costs no closure. */
  #whenTaken(
    stream: HeldStream,
    size: number,
    settle?: (outcome: Outcome) => void,
  ): (error?: unknown) => void {
    if (settle) return settling(stream, settle, () => this.#taken(stream, size))
    if (stream.onlyWrite !== undefined) return () => this.#taken(stream, size)
    stream.onlyWrite = size
    return (stream.whenOnlyTaken ??= () => {
      const taken = stream.onlyWrite ?? 0
      stream.onlyWrite = undefined
      this.#taken(stream, taken)
    })
  }

  #taken(stream: HeldStream, size: number): void {
    // What was written before it without a callback went before it.
    size += stream.unwatched
    if (stream.waiting < size) return // of a Duplex that says it twice
    stream.unwatched = 0
    stream.waiting -= size
    if (!stream.live) return // and its handle may be another's
    const found = native.taken(stream.handle, size)
    if (found === 0) return
    if ((found & kGap) !== 0) this.#events.gap(stream)
    if (stream.slow && (found & kLow) !== 0) {
      this.#mark(stream, false)
      this.#events.drain(stream)
    }
    this.tellSlow()
  }

  #mark(stream: HeldStream, slow: boolean): void {
    stream.slow = slow
    native.setSlow(stream.uid, slow)
  }
}

/** The end of a write that somebody waits for: by its callback, or by the end of the stream. */
function settling(
  stream: HeldStream,
  settle: (outcome: Outcome) => void,
  taken: () => void,
): (error?: unknown) => void {
  const abandoned = (): void => settle(outcomes.gone)
  const waits = (stream.awaited ??= new Set())
  waits.add(abandoned)
  return (error) => {
    taken()
    if (!waits.delete(abandoned)) return
    settle(error || (stream.raw as Duplex).destroyed ? outcomes.gone : outcomes.taken)
  }
}
