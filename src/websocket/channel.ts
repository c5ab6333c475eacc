import type { Carrier } from '../carrier.js'
import type { Duplex } from 'node:stream'

/** What comes up of the stream beneath a WebSocket. */
export interface ChannelEvents {
  handleData(bytes: Buffer): void
  /** The peer ended its side. */
  handleEnd(): void
  /** The stream is over. */
  handleClose(): void
}

/**
 * The stream beneath a WebSocket: its carrier, and beyond that how it is read, and how its peer's end
 * is waited for.
 */
export interface Channel {
  readonly raw: unknown
  readonly carrier: Carrier
  /** The stream itself where it is one of Node's. */
  readonly duplex: Duplex | undefined
  readonly isClosed: boolean
  /** Begins to read. */
  open(events: ChannelEvents): void
  /** Brings no more until `resume`: flow control will stop the peer. */
  pause(): void
  resume(): void
  /** Breaks off if it is still open after so many ms. */
  resetAfter(ms: number, code: number): void
  /**
   * Our side was ended: once all of it has left, the peer has so many ms to end its own. Then it is
   * told that nobody reads it (HTTP/2: RST_STREAM with NO_ERROR, RFC 9113, section 8.1).
   */
  linger(ms: number): void
}
