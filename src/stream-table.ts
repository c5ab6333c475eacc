import type { HeldStream } from './held-stream.js'

/**
 * This thread's streams by handle, the small number that the native side puts into each record.
 *
 * A handle that is freed while a batch is being delivered must not be given away before the batch
 * ends: a later record of it would reach a stranger.
 */
export class StreamTable {
  readonly #streams: (HeldStream | undefined)[] = []
  readonly #free: number[] = []
  readonly #freedInBatch: number[] = []
  #batches = 0

  get(handle: number): HeldStream | undefined {
    return this.#streams[handle]
  }

  reserve(): number {
    return this.#free.pop() ?? this.#streams.push(undefined) - 1
  }

  put(stream: HeldStream): void {
    this.#streams[stream.handle] = stream
  }

  free(handle: number): void {
    this.#streams[handle] = undefined
    ;(this.#batches > 0 ? this.#freedInBatch : this.#free).push(handle)
  }

  /** One may begin inside another: what is being written may publish. */
  beginBatch(): void {
    this.#batches++
  }

  endBatch(): void {
    if (--this.#batches > 0) return
    while (this.#freedInBatch.length > 0) this.#free.push(this.#freedInBatch.pop()!)
  }

  *live(): Generator<HeldStream> {
    for (const stream of this.#streams) if (stream) yield stream
  }
}
