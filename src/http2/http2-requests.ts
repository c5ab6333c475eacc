import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { HoldfastError } from '../errors.js'
import type { ClientIdentity } from '../request/client-identity.js'
import type { Fields } from '../request/fields.js'
import type { RequestCarrier, RequestSink } from '../request/request-carrier.js'
import { http2Carrier } from './carriers.js'
import { clientOf } from './client-of.js'
import { RequestInput } from './request-input.js'
import type { NodeTarget } from './target.js'

const kClient = Symbol('holdfast.client')
const kInput = Symbol('holdfast.input')
const kTrailers = Symbol('holdfast.trailers')
const kDiscarded = Symbol('holdfast.discarded')
const kTrailersToSend = Symbol('holdfast.trailersToSend')

/** Node documents `headRequest`; its types do not know it. */
type Raw = ServerHttp2Stream & {
  readonly headRequest?: boolean
  /** Only where TLS has asked who it is. */
  [kClient]?: ClientIdentity
  [kInput]?: RequestInput
  [kTrailers]?: Fields
  /** Nobody wants the rest of the body. */
  [kDiscarded]?: true
  /** The trailers of the answer, from their announcement until they are sent. */
  [kTrailersToSend]?: Fields | undefined
}

/** Requests of node:http2. */
export const http2Requests: RequestCarrier<ServerHttp2Stream> = {
  ...http2Carrier,
  resolve: resolveHttp2,
  end(raw) {
    // Of one that was reset, what waits to be written would begin the answer.
    if (raw.closed) return
    if (raw.headersSent) raw.end()
    else raw.respond({ ':status': constants.HTTP_STATUS_SERVICE_UNAVAILABLE }, { endStream: true })
  },
  isHead: (raw: Raw) => raw.headRequest === true,
  hasBody: (raw) => !raw.endAfterHeaders,
  client: (raw: Raw) => raw[kClient],
  headersSent: (raw) => raw.headersSent,
  closed: (raw) => raw.destroyed || raw.closed,

  inform: (raw, status, fields) => raw.additionalHeaders({ ...fields, ':status': status }),

  head(raw: Raw, { status, fields, endStream, trailers }) {
    const headers: OutgoingHttpHeaders = fields
    headers[':status'] = status
    raw.respond(headers, { endStream, waitForTrailers: trailers })
    if (trailers) {
      raw[kTrailersToSend] = {}
      raw.once('wantTrailers', sendTrailers)
    }
  },

  endWithTrailers(raw: Raw, fields) {
    raw[kTrailersToSend] = fields
    raw.end()
  },

  attach(raw: Raw, sink) {
    raw[kInput] = new RequestInput(raw, sink)
    if (raw.destroyed) close(raw, sink)
    else raw.on('close', () => close(raw, sink))
  },

  // A peer that resets with NO_ERROR looks like one that ended.
  read: (raw: Raw) => raw[kInput]!.read(() => (raw.aborted ? undefined : (raw[kTrailers] ?? {}))),
  consume: (raw: Raw, bytes) => raw[kInput]!.consume(bytes),

  discard(raw: Raw) {
    raw[kInput]!.discard()
    raw[kDiscarded] = true
    if (raw.writableFinished) closeUnread.call(raw)
    else raw.once('finish', closeUnread)
  },
}

/** @throws ERR_HOLDFAST_STREAM_DEAD */
export function resolveHttp2(raw: Raw): NodeTarget {
  const { session, headersSent } = raw
  // Node ends the answer to HEAD before it has begun.
  const dead =
    raw.headRequest && !headersSent ? raw.destroyed || raw.closed : http2Carrier.ended(raw)
  if (!session || dead) throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
  return { raw, carrier: http2Requests, owner: session, headersSent }
}

/** Called for each request as it comes: what would be lost before its handler asks for it is kept. */
export function prepareHttp2Request(raw: Raw): void {
  raw.on('error', ignore)
  if (!raw.endAfterHeaders) raw.once('trailers', keepTrailers)
  const { session } = raw
  if (!session?.encrypted) return
  const client = clientOf(session, session.socket as TLSSocket)
  if (client) raw[kClient] = client
}

function keepTrailers(this: Raw, headers: IncomingHttpHeaders): void {
  this[kTrailers] = Object.fromEntries(Object.entries(headers)) as Fields
}

function close(raw: ServerHttp2Stream, sink: RequestSink): void {
  const complete = raw.writableFinished && !raw.aborted && raw.rstCode === 0
  sink.closed({ complete, code: raw.rstCode ?? 0 })
}

function sendTrailers(this: Raw): void {
  this.sendTrailers(this[kTrailersToSend]!)
  // They leave in a setImmediate of their own; until then a discarded body must not close the stream.
  setImmediate(() =>
    setImmediate(() => {
      this[kTrailersToSend] = undefined
      if (this[kDiscarded]) closeUnread.call(this)
    }),
  )
}

/** To be called when the answer is complete. */
function closeUnread(this: Raw): void {
  if (this.readableEnded || this[kTrailersToSend]) return
  setImmediate(() => this.destroyed || this.close(constants.NGHTTP2_NO_ERROR))
}

function ignore(): void {}
