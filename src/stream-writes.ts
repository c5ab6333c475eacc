import type { Duplex } from 'node:stream'
import type { HeldStream } from './held-stream.js'
import { native } from './native.js'
import type { StreamTable } from './stream-table.js'
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

/** In the answers of `native.taken` and `takenMany`. */
const kGap = 1
const kDrained = 2
/** In one of `takenMany`: what is not taken by it is to be by `taken`, when its turn comes. */
const kTaken = 2 ** 31

/** To look after fewer writes costs more than that their carrier tells of each. */
const kMany = 16

/** So many are looked at before they are written to: then memory is waited for once, and the loop of writes is bare. */
const kTogether = 64

/** Of a larger one that cost is nothing, and it makes room sooner. */
const kSmall = 4 << 10

/** Hands bytes that are reserved to streams of this thread, and gives the room back when they left. */
export class StreamWrites {
  readonly #table: StreamTable
  readonly #events: WriteEvents
  /** Streams with more waiting are slow: half a budget. */
  #high = Infinity
  #turnedSlow: HeldStream[] = []
  readonly #unwatched: UnwatchedWrites
  /** Undefined while in use: what is written to may have code of its own, which publishes. */
  #together: Uint32Array | undefined = new Uint32Array(kTogether)

  constructor(table: StreamTable, events: WriteEvents) {
    this.#table = table
    this.#unwatched = new UnwatchedWrites(table, (pairs, count) =>
      this.#unwatchedTaken(pairs, count),
    )
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
  ): boolean {
    if (!stream || stream.carrier.ended(stream.raw)) return false
    this.#hand(stream.handle, bytes, this.#whenTaken(stream, bytes.length, settle))
    return true
  }

  /** The same; what is not written has its room given back, and its stream takes no more. */
  writeOrRelease(
    stream: HeldStream | undefined,
    bytes: Buffer,
    settle?: (outcome: Outcome) => void,
  ): boolean {
    if (this.write(stream, bytes, settle)) return true
    if (stream) native.release(stream.uid, bytes.length)
    return false
  }

  /** The same bytes to many streams, none of which is waited for. How many took them. */
  writeMany(handles: Uint32Array, bytes: Buffer): number {
    const table = this.#table
    const { carriers, raws } = table
    const size = bytes.length
    const isUnwatched = handles.length >= kMany && size <= kSmall && size <= this.#high
    const together = this.#together ?? new Uint32Array(kTogether)
    this.#together = undefined
    let count = 0
    let written = 0
    for (let i = 0; i < handles.length; i++) {
      const handle = handles[i]!
      const carrier = carriers[handle]
      if (carrier === undefined) continue
      if (carrier.ended(raws[handle])) {
        native.release(table.get(handle)!.uid, size)
      } else if (isUnwatched && carrier.left !== undefined && table.waiting[handle] === 0) {
        table.unwatched[handle] = table.waiting[handle] = size
        this.#unwatched.add(handle)
        together[count++] = handle
        if (count < kTogether) continue
        written += this.#handTogether(together, count, bytes)
        count = 0
      } else {
        this.#hand(handle, bytes, this.#whenTaken(table.get(handle)!, size))
        written++
      }
    }
    written += this.#handTogether(together, count, bytes)
    this.#together = together
    return written
  }

  #handTogether(handles: Uint32Array, count: number, bytes: Buffer): number {
    const { carriers, raws } = this.#table
    let written = 0
    for (let i = 0; i < count; i++) {
      const handle = handles[i]!
      const carrier = carriers[handle]
      if (carrier === undefined) continue // by what the write before it ran
      written++
      try {
        carrier.write(raws[handle], bytes)
      } catch (error) {
        throwLater(error)
      }
    }
    return written
  }

  #hand(handle: number, bytes: Buffer, done: ((error?: unknown) => void) | undefined): void {
    const table = this.#table
    table.waiting[handle]! += bytes.length
    try {
      table.carriers[handle]!.write(table.raws[handle], bytes, done)
    } catch (error) {
      throwLater(error) // of a Duplex's own code; the bytes are with it
    }
    if (table.waiting[handle]! > this.#high) this.markSlow(table.get(handle))
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
    // What one listener does may have made the next no longer slow.
    for (const stream of slow) if (stream.live && stream.slow) this.#events.slow(stream)
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
    if (!stream.live) return // and its handle may be another's
    const { waiting, unwatched } = this.#table
    const { handle } = stream
    // What was written before it without a callback went before it.
    size += unwatched[handle]!
    if (waiting[handle]! < size) return // of a Duplex that says it twice
    unwatched[handle] = 0
    waiting[handle]! -= size
    this.#tell(stream, native.taken(handle, size))
  }

  /** The room of most first, and then of each that is to be told of it, which may run user code. */
  #unwatchedTaken(pairs: Uint32Array, count: number): void {
    if (!native.takenMany(pairs, count)) return
    const rest: [HeldStream | undefined, number][] = []
    for (let i = 0; i < 2 * count; i += 2) {
      if (pairs[i + 1] !== 0) rest.push([this.#table.get(pairs[i]!), pairs[i + 1]!])
    }
    for (const [stream, word] of rest) {
      if (!stream?.live) continue
      const answer = word >= kTaken ? word - kTaken : native.taken(stream.handle, word)
      this.#tell(stream, answer)
    }
  }

  #tell(stream: HeldStream, answer: number): void {
    if (answer === 0) return
    if ((answer & kGap) !== 0) this.#events.gap(stream)
    // What stands for the gap may be much itself; or it closed the stream.
    const isBehind = !stream.live || this.#table.waiting[stream.handle]! > this.#high
    if (stream.slow && (answer & kDrained) !== 0 && !isBehind) {
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
