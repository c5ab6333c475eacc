/** Pieces are joined to so many bytes. */
const kJoined = 4096
/** Places of pieces that were taken go so many at a time: each by itself would move all behind it. */
const kForgotten = 1024
const kTaken = Buffer.alloc(0)

/**
 * Bytes that wait to be read, in order. Small pieces are joined where they wait: a peer may send one
 * byte at a time, which by itself takes a hundred.
 */
export class Pieces {
  #pieces: Buffer[] = []
  /** The first that was not taken. */
  #head = 0
  /** Memory of ours that begins with the last piece; undefined where that is somebody else's. */
  #block: Buffer | undefined

  push(bytes: Buffer): void {
    const last = this.#pieces.at(-1)
    const size = (last?.length ?? 0) + bytes.length
    if (!last || size > kJoined) {
      this.#pieces.push(bytes)
      this.#block = undefined
      return
    }
    if (!this.#block) {
      this.#block = Buffer.allocUnsafeSlow(kJoined)
      last.copy(this.#block)
    }
    bytes.copy(this.#block, last.length)
    this.#pieces[this.#pieces.length - 1] = this.#block.subarray(0, size)
  }

  /** The first piece; undefined if there is none. */
  shift(): Buffer | undefined {
    const first = this.#pieces[this.#head]
    if (!first) return undefined
    this.#pieces[this.#head] = kTaken
    if (++this.#head === this.#pieces.length) {
      this.clear()
    } else if (this.#head === kForgotten) {
      this.#pieces.splice(0, kForgotten)
      this.#head = 0
    }
    return first
  }

  clear(): void {
    this.#pieces = []
    this.#head = 0
    this.#block = undefined
  }
}
