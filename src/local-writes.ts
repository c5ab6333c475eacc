import type { HeldStream } from './held-stream.js'
import type { StreamTable } from './stream-table.js'
import type { StreamWrites } from './stream-writes.js'
import type { Outcome } from './waiting.js'
import { callUser } from './uncaught.js'

/** Writes to streams of this thread what this thread sends; what a tick writes to one is joined. */
export class LocalWrites {
  readonly #table: StreamTable
  readonly #writes: StreamWrites
  readonly #corked: HeldStream[] = []

  constructor(table: StreamTable, writes: StreamWrites) {
    this.#table = table
    this.#writes = writes
  }

  /** Hands over bytes that are reserved; false, with nothing done, if the stream has ended. */
  write(
    stream: HeldStream | undefined,
    bytes: Buffer,
    settle?: (outcome: Outcome) => void,
  ): boolean {
    if (!stream || stream.carrier.ended(stream.raw)) return false
    this.#cork(stream)
    return this.#writes.write(stream, bytes, settle)
  }

  /** The same bytes to many streams. How many took them. */
  writeMany(handles: Uint32Array, bytes: Buffer): number {
    for (const handle of handles) {
      const stream = this.#table.get(handle)
      if (stream && !stream.carrier.ended(stream.raw)) this.#cork(stream)
    }
    return this.#writes.writeMany(handles, bytes)
  }

  tellSlow(): void {
    this.#writes.tellSlow()
  }

  #cork(stream: HeldStream): void {
    if (stream.corked) return
    stream.corked = true
    stream.carrier.cork(stream.raw)
    if (this.#corked.push(stream) > 1) return
    process.nextTick(() => {
      for (const corked of this.#corked.splice(0)) {
        corked.corked = false
        callUser(() => corked.carrier.uncork(corked.raw))
      }
    })
  }
}
