import type { Duplex } from 'node:stream'
import { kDeflateExtension, Sender, type PerMessageDeflate } from './ws-parts.js'

/**
 * Compresses, on the thread that holds the stream, what senders of any thread have framed: a frame is
 * made once for all receivers, but each connection compresses in a context of its own.
 */
export class DeflatingSender {
  readonly #sender: Sender
  #pending = 0
  #whenIdle: (() => void) | undefined

  constructor(raw: Duplex, deflate: PerMessageDeflate) {
    this.#sender = new Sender(raw, { [kDeflateExtension]: deflate })
  }

  /** Takes whole frames, as native/codec/websocket.h makes them. */
  write(frames: Buffer, done?: () => void): void {
    for (let at = 0; at < frames.length;) {
      let size = frames[at + 1]!
      let begin = at + 2
      if (size === 126) {
        size = frames.readUInt16BE(begin)
        begin += 2
      } else if (size === 127) {
        size = frames.readUInt32BE(begin) * 2 ** 32 + frames.readUInt32BE(begin + 4)
        begin += 8
      }
      const payload = frames.subarray(begin, begin + size)
      const options = { binary: (frames[at]! & 0xf) === 2, compress: true, fin: true, mask: false }
      at = begin + size
      this.#sender.send(payload, options, this.#settle(at === frames.length ? done : undefined))
    }
  }

  ping(data: Buffer, done?: () => void): void {
    this.#sender.ping(data, false, this.#settle(done))
  }

  pong(data: Buffer, done?: () => void): void {
    this.#sender.pong(data, false, this.#settle(done))
  }

  close(code: number | undefined, reason: string): void {
    this.#sender.close(code, reason, false, this.#settle())
  }

  /** Calls back when everything was handed to the socket, or never will be. */
  whenIdle(callback: () => void): void {
    if (this.#pending === 0) callback()
    else this.#whenIdle = callback
  }

  #settle(done?: () => void): () => void {
    this.#pending++
    return () => {
      done?.()
      if (--this.#pending > 0) return
      const callback = this.#whenIdle
      this.#whenIdle = undefined
      callback?.()
    }
  }
}
