import type { HeldStream } from './held-stream.js'
import type { StreamWrites } from './stream-writes.js'
import type { Outcome } from './waiting.js'
import { callUser } from './uncaught.js'

/** Writes to streams of this thread what this thread sends; what a tick writes to one is joined. */
export class LocalWrites {
  readonly #writes: StreamWrites
  readonly #corked: HeldStream[] = []

  constructor(writes: StreamWrites) {
    this.#writes = writes
  }

  /** Hands over bytes that are reserved; false, with nothing done, if the stream has ended. */
  write(
    stream: HeldStream | undefined,
    bytes: Buffer,
    settle?: (outcome: Outcome) => void,
  ): stream is HeldStream {
    if (!stream || stream.carrier.ended(stream.raw)) return false
    this.#cork(stream)
    return this.#writes.write(stream, bytes, settle)
  }

  /** The same of bytes that go to so many streams at once. */
  writeOneOf(streams: number, stream: HeldStream | undefined, bytes: Buffer): stream is HeldStream {
    if (!stream || stream.carrier.ended(stream.raw)) return false
    this.#cork(stream)
    return this.#writes.writeOneOf(streams, stream, bytes)
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
