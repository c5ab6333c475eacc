import type { Carrier } from '../carrier.js'
import type { ResolvedTarget } from '../http2/target.js'
import type { ClientIdentity } from './client-identity.js'
import type { Fields } from './fields.js'

/** The head of an answer, checked: what HTTP forbids is not in it. */
export interface ResponseHead {
  /** 200 to 599. */
  readonly status: number
  /** The carrier's to keep, and to change. */
  readonly fields: Fields
  /** No body follows: the head is the whole answer. Always so for HEAD, 204, 205 and 304. */
  readonly endStream: boolean
  /** The answer will be ended by `endWithTrailers` or, if there are none after all, by `end`. */
  readonly trailers: boolean
}

/**
 * What carries a request and its answer: the seam between {@link RequestStream}, which is the same for
 * all, and the one who speaks the protocol (node:http2 in src/http2). It goes beyond {@link Carrier},
 * through which the same stream is sent to by uid, with what only a request has.
 *
 * Calls down. All are made on the thread that was given the request, in an order that must be kept for
 * one stream; none waits for an answer, so a carrier may collect them and hand them on in batches. On a
 * stream that is over they must do nothing: its end may be on its way up while they go down.
 *
 * Calls up go to the {@link RequestSink}, on the same thread, in order, never from inside a call down
 * except where it is said.
 */
export interface RequestCarrier<Raw = unknown> extends Carrier<Raw> {
  /** What the registry must know to hold it. @throws ERR_HOLDFAST_STREAM_DEAD */
  resolve(raw: Raw): ResolvedTarget
  /** Whether the method was HEAD. */
  isHead(raw: Raw): boolean
  /** Whether more than the head of the request came, or may come. */
  hasBody(raw: Raw): boolean
  /** Who asks, also when the connection is gone; undefined where TLS did not ask who it is. */
  client(raw: Raw): ClientIdentity | undefined
  /** Whether the final head of the answer was handed on, by whomever. */
  headersSent(raw: Raw): boolean
  /** Whether the stream is over, as far as this thread was told. */
  closed(raw: Raw): boolean

  /** Sends an interim answer, 100 to 199 without 101. Never after `head`. */
  inform(raw: Raw, status: number, fields: Fields): void
  /**
   * Sends the head of the answer, once.
   * @throws whatever the protocol does not take; then nothing was sent
   */
  head(raw: Raw, head: ResponseHead): void
  /** As `end`, with trailers; only after a `head` that announced them. */
  endWithTrailers(raw: Raw, fields: Record<string, string>): void

  /**
   * From now on the stream's events go to `sink`, once for a stream. Nothing of the body is brought
   * before `read`. A stream that is over already is told so at once, from inside this call.
   */
  attach(raw: Raw, sink: RequestSink): void
  /** Begins to bring the body; the first of it may come from inside this call. */
  read(raw: Raw): void
  /**
   * The handler took this many of the bytes it was brought. What is not consumed keeps the peer's
   * flow-control window small: a carrier brings at most a window's worth (64 KiB, say) ahead.
   */
  consume(raw: Raw, bytes: number): void
  /**
   * No more of the body is wanted, now or later: drops what comes. When the answer is complete and the
   * peer is still sending, it is told to stop (HTTP/2: RST_STREAM with NO_ERROR, RFC 9113, section 8.1).
   */
  discard(raw: Raw): void
}

/** How a request ended. */
export interface RequestClose {
  /** The answer was handed to the peer to its end, and nobody broke off. */
  readonly complete: boolean
  /** The HTTP/2 error code of whoever broke off; 0 if there is none. */
  readonly code: number
}

/** What a carrier brings up of one stream. */
export interface RequestSink {
  /**
   * A piece of the body, not empty. The bytes are the receiver's to keep, though their ArrayBuffer may
   * hold other pieces as well.
   */
  data(bytes: Buffer): void
  /** The body is whole; with the trailers of the request, if it had any. */
  ended(trailers: Fields): void
  /** The stream is over, once; nothing comes after. Without `ended` before it, the body was cut off. */
  closed(close: RequestClose): void
}
