import type { Carrier } from './carrier.js'
import type { HeldStream } from './held-stream.js'

const kFirstHandles = 64

/**
 * This thread's streams by handle, the small number that the native side puts into each record.
 *
 * A handle that is freed while a batch is being delivered must not be given away before the batch
 * ends: a later record of it would reach a stranger.
 *
 * What a publication looks at of each of its thousand receivers lies side by side, not in an object
 * each: that would be one more wait for memory a message.
 */
export class StreamTable {
  readonly #streams: (HeldStream | undefined)[] = []
  readonly #free: number[] = []
  readonly #freedInBatch: number[] = []
  #batches = 0
  readonly raws: unknown[] = []
  readonly carriers: (Carrier | undefined)[] = []
  /** Bytes handed to the carrier and not yet taken by the socket. Replaced when the table grows. */
  waiting: Float64Array = new Float64Array(kFirstHandles)
  /** Those of them whose carrier does not tell when the socket took them, which went first. */
  unwatched: Float64Array = new Float64Array(kFirstHandles)

  get(handle: number): HeldStream | undefined {
    return this.#streams[handle]
  }

  reserve(): number {
    const handle = this.#free.pop() ?? this.#streams.push(undefined) - 1
    if (handle >= this.waiting.length) {
      this.waiting = twiceAsLong(this.waiting)
      this.unwatched = twiceAsLong(this.unwatched)
    }
    return handle
  }

  put(stream: HeldStream): void {
    const { handle } = stream
    this.#streams[handle] = stream
    this.raws[handle] = stream.raw
    this.carriers[handle] = stream.carrier
  }

  free(handle: number): void {
    this.#streams[handle] = this.raws[handle] = this.carriers[handle] = undefined
    this.waiting[handle] = this.unwatched[handle] = 0
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

function twiceAsLong(numbers: Float64Array): Float64Array {
  const longer = new Float64Array(2 * numbers.length)
  longer.set(numbers)
  return longer
}
