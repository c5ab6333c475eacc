import type { Fields } from './request/fields.js'
import type { StreamClose } from './stream.js'
import type { CloseReason } from './stream-info.js'

/**
 * What carries a stream's bytes, behind one table of operations. Everything above speaks to a stream
 * through it and knows no protocol; native/core/carrier.h is the same seam on the native side.
 */
export interface Carrier<Raw = unknown> {
  /** Whether it takes no more bytes: ended, closed or destroyed, by whomever. */
  ended(raw: Raw): boolean
  /** Begins the answer to the request. Only where there is a request. */
  respond?(raw: Raw, headers: Readonly<Fields>): void
  /** Hands bytes on; `done` is called when the socket took them or never will. Without, it costs less. */
  write(raw: Raw, bytes: Buffer, done?: (error?: unknown) => void): void
  /** Bytes written that the socket has yet to take. Where it is known, writes need no `done`. */
  left?(raw: Raw): number
  /** Holds writes back until `uncork`, to join them. */
  cork(raw: Raw): void
  uncork(raw: Raw): void
  /** Finishes gracefully, behind what was written. */
  end(raw: Raw): void
  /** Breaks off; `code` is an HTTP/2 error code where the protocol has them (RFC 9113, section 7). */
  reset(raw: Raw, code: number): void
  /** Closes in the protocol's own way, where it has one; `code` and `text` are those of its caller. */
  close?(raw: Raw, reason: CloseReason, code: number, text: string): void
  /** With which code and text it closed, where the protocol has them. */
  farewell?(): { code: number; text: string }
  /** The stream was un-registered. */
  released?(close: StreamClose): void
  /** Why it closed, as far as the stream itself can tell. */
  reason(raw: Raw): CloseReason
}
