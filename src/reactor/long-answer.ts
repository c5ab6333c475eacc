/** Bytes that a reactor is given of one answer before its socket has taken any, and a piece of them. */
const kAhead = 256 * 1024
const kPiece = 64 * 1024

interface Waiting {
  bytes: Buffer
  readonly done: (() => void) | undefined
}

export interface LongAnswerTarget {
  /** Whether nobody is left to be written to. */
  closed(): boolean
  /** `taken` is called when the socket took the bytes, or never will. */
  write(bytes: Buffer, taken: () => void): void
  /** All was handed on. */
  empty(): void
}

/**
 * A long answer. What its peer is not ready for waits here, where it is not copied: who asks for much
 * and reads nothing costs little.
 */
export class LongAnswer {
  readonly #target: LongAnswerTarget
  #waiting: Waiting[] = []
  #ahead = 0
  #end: (() => void) | undefined

  constructor(target: LongAnswerTarget) {
    this.#target = target
  }

  static needed(bytes: Buffer): boolean {
    return bytes.length > kAhead
  }

  add(bytes: Buffer, done: (() => void) | undefined): void {
    this.#waiting.push({ bytes, done })
    this.#handOn(kAhead)
  }

  /** Calls behind the last piece. */
  end(call: () => void): void {
    this.#end = call
  }

  /** Hands on all that is left. */
  hurry(): void {
    this.#handOn(Infinity)
  }

  /** What is left has nowhere to go. */
  drop(): void {
    this.#end = undefined
    for (const { done } of this.#waiting.splice(0)) done?.()
  }

  #handOn(ahead: number): void {
    if (this.#target.closed()) return
    for (let first; this.#ahead < ahead && (first = this.#waiting[0]);) {
      const { bytes, done } = first
      const piece = bytes.subarray(0, kPiece)
      first.bytes = bytes.subarray(piece.length)
      const isLast = first.bytes.length === 0
      if (isLast) this.#waiting.shift()
      this.#ahead += piece.length
      this.#target.write(piece, () => {
        this.#ahead -= piece.length
        if (isLast) done?.()
        // Behind the last piece, another long answer may have begun.
        if (this.#waiting.length > 0) this.#handOn(kAhead)
      })
    }
    if (this.#waiting.length > 0) return
    const end = this.#end
    this.#end = undefined
    this.#target.empty()
    end?.()
  }
}
