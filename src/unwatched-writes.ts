import type { StreamTable } from './stream-table.js'

/** How often those are looked at whose readers are behind: the first time, and when none has read. */
const kShortestMs = 1
const kLongestMs = 32

const kFirst = 64

/**
 * Writes without a callback, which costs more than to look whether the socket took them: bytes of
 * many streams leave together, before the loop comes to what is set for its next turn.
 */
export class UnwatchedWrites {
  readonly #table: StreamTable
  readonly #onTaken: (pairs: Uint32Array, count: number) => void
  #handles = new Uint32Array(kFirst)
  #count = 0
  #pairs = new Uint32Array(2 * kFirst)
  #looksSoon = false
  #looksLater = false
  #delayMs = kShortestMs

  /**
   * `onTaken` is called when the socket took the `unwatched` bytes of so many streams, with pairs of
   * handle and bytes that are its own until it returns. It may not throw.
   */
  constructor(table: StreamTable, onTaken: (pairs: Uint32Array, count: number) => void) {
    this.#table = table
    this.#onTaken = onTaken
  }

  add(handle: number): void {
    if (this.#count === this.#handles.length) this.#grow()
    this.#handles[this.#count++] = handle
    if (this.#looksSoon) return
    this.#looksSoon = true
    setImmediate(() => {
      this.#looksSoon = false
      this.#delayMs = kShortestMs
      this.#look()
      this.#lookLater()
    })
  }

  #lookLater(): void {
    if (this.#looksLater || this.#count === 0) return
    this.#looksLater = true
    setTimeout(() => {
      this.#looksLater = false
      const before = this.#count
      this.#look()
      const none = this.#count >= before
      this.#delayMs = none ? Math.min(2 * this.#delayMs, kLongestMs) : kShortestMs
      this.#lookLater()
    }, this.#delayMs).unref()
  }

  #look(): void {
    const { raws, carriers, waiting, unwatched } = this.#table
    const handles = this.#handles
    const pairs = this.#pairs
    let words = 0
    let behind = 0
    for (let i = 0; i < this.#count; i++) {
      const handle = handles[i]!
      const size = unwatched[handle]!
      // A later write that was watched has told of this one too, or its stream is gone.
      if (size === 0) continue
      const before = waiting[handle]! - size
      if (carriers[handle]!.left!(raws[handle]) > before) {
        handles[behind++] = handle
      } else {
        waiting[handle] = before
        unwatched[handle] = 0
        pairs[words++] = handle
        pairs[words++] = size
      }
    }
    this.#count = behind
    if (words > 0) this.#onTaken(pairs, words / 2)
  }

  #grow(): void {
    const longer = new Uint32Array(2 * this.#count)
    longer.set(this.#handles)
    this.#handles = longer
    this.#pairs = new Uint32Array(2 * longer.length)
  }
}
