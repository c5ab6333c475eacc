import type { HeldStream } from './held-stream.js'

/** How often those are looked at whose readers are behind: the first time, and when none has read. */
const kShortestMs = 1
const kLongestMs = 256

/**
 * Writes without a callback, which costs more than to look whether the socket took them: bytes of
 * many streams leave together, before the loop comes to what is set for its next turn.
 */
export class UnwatchedWrites {
  readonly #onTaken: (stream: HeldStream) => void
  #streams: HeldStream[] = []
  #looksSoon = false
  #looksLater = false
  #delayMs = kShortestMs

  /** `onTaken` is called when the socket took the `unwatched` bytes of a stream, and may not throw. */
  constructor(onTaken: (stream: HeldStream) => void) {
    this.#onTaken = onTaken
  }

  add(stream: HeldStream): void {
    this.#streams.push(stream)
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
    if (this.#looksLater || this.#streams.length === 0) return
    this.#looksLater = true
    setTimeout(() => {
      this.#looksLater = false
      const before = this.#streams.length
      this.#look()
      const none = this.#streams.length >= before
      this.#delayMs = none ? Math.min(2 * this.#delayMs, kLongestMs) : kShortestMs
      this.#lookLater()
    }, this.#delayMs).unref()
  }

  #look(): void {
    const looked = this.#streams
    this.#streams = []
    for (const stream of looked) if (!this.#done(stream)) this.#streams.push(stream)
  }

  #done(stream: HeldStream): boolean {
    // A later write that was watched has told of this one too.
    if (!stream.live || stream.unwatched === 0) return true
    const behind = stream.waiting - stream.unwatched
    if (stream.carrier.left!(stream.raw) > behind) return false
    this.#onTaken(stream)
    return true
  }
}
