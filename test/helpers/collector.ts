import { Duplex } from 'node:stream'

/** A Duplex that keeps what is written to it, and ends when it is ended. */
export class Collector extends Duplex {
  #chunks: Buffer[] = []

  /** What was written since it was taken last. */
  takeWritten(): Buffer {
    return Buffer.concat(this.#chunks.splice(0))
  }
  /** What was written and not taken. */
  text(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }
  override _final(done: () => void): void {
    this.push(null)
    done()
  }
}
