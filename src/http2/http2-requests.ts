import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { HoldfastError } from '../errors.js'
import type { Fields } from '../request/fields.js'
import type { RequestCarrier, RequestSink } from '../request/request-carrier.js'
import { http2Carrier } from './carriers.js'
import type { ResolvedTarget } from './target.js'

/** A request may lie unconsumed with its handler up to here before it is read no further, in bytes. */
const kReadAheadBytes = 16 * 1024

const kInput = Symbol('holdfast.input')

interface Input {
  trailers: Fields | undefined
  sink: RequestSink | undefined
  unconsumed: number
}

/** Node documents `headRequest`; its types do not know it. */
type Raw = ServerHttp2Stream & { readonly headRequest?: boolean; [kInput]?: Input }

/** Requests of node:http2. */
export const http2Requests: RequestCarrier<ServerHttp2Stream> = {
  ...http2Carrier,
  resolve: resolveHttp2,
  end(raw) {
    if (raw.headersSent || raw.closed) raw.end()
    else raw.respond({ ':status': constants.HTTP_STATUS_SERVICE_UNAVAILABLE }, { endStream: true })
  },
  isHead: (raw: Raw) => raw.headRequest === true,
  hasBody: (raw) => !raw.endAfterHeaders,
  headersSent: (raw) => raw.headersSent,
  closed: (raw) => raw.destroyed || raw.closed,

  inform: (raw, status, fields) => raw.additionalHeaders({ ...fields, ':status': status }),

  head(raw, { status, fields, endStream, trailers }) {
    raw.respond({ ...fields, ':status': status }, { endStream, waitForTrailers: trailers })
    if (trailers) raw.once('wantTrailers', sendNoTrailers)
  },

  endWithTrailers(raw, fields) {
    raw.off('wantTrailers', sendNoTrailers)
    raw.once('wantTrailers', () => sendTrailers(raw, fields))
    raw.end()
  },

  attach(raw: Raw, sink) {
    inputOf(raw).sink = sink
    if (raw.destroyed) onClose.call(raw)
    else raw.on('close', onClose)
  },

  read(raw) {
    if (raw.readableEnded) onEnd.call(raw)
    else raw.on('end', onEnd).on('data', onData)
  },

  consume(raw, bytes) {
    const input = inputOf(raw)
    input.unconsumed -= bytes
    if (input.unconsumed === 0 && raw.isPaused()) raw.resume()
  },

  discard(raw) {
    raw.off('data', onData)
    raw.resume()
    if (raw.readableEnded) return
    if (raw.writableFinished) closeUnread.call(raw)
    else raw.once('finish', closeUnread)
  },
}

/** @throws ERR_HOLDFAST_STREAM_DEAD */
export function resolveHttp2(raw: Raw): ResolvedTarget {
  const { session, headersSent } = raw
  // Node ends the answer to HEAD before it has begun.
  const dead =
    raw.headRequest && !headersSent ? raw.destroyed || raw.closed : http2Carrier.ended(raw)
  if (!session || dead) throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
  return { raw, carrier: http2Requests, owner: session, headersSent }
}

/** Called for each request as it comes: what would be lost before its handler asks for it is kept. */
export function prepareHttp2Request(raw: Raw): void {
  raw.on('error', () => {})
  if (!raw.endAfterHeaders) raw.once('trailers', keepTrailers)
}

function inputOf(raw: Raw): Input {
  return (raw[kInput] ??= { trailers: undefined, sink: undefined, unconsumed: 0 })
}

function keepTrailers(this: Raw, headers: IncomingHttpHeaders): void {
  inputOf(this).trailers = Object.fromEntries(Object.entries(headers)) as Fields
}

function onData(this: Raw, chunk: Buffer): void {
  const input = inputOf(this)
  input.unconsumed += chunk.length
  if (input.unconsumed >= kReadAheadBytes) this.pause()
  input.sink!.data(chunk)
}

function onEnd(this: Raw): void {
  const { sink, trailers } = inputOf(this)
  // A peer that resets with NO_ERROR looks like one that ended.
  if (!this.aborted) sink!.ended(trailers ?? {})
}

function onClose(this: Raw): void {
  const complete = this.writableFinished && !this.aborted && this.rstCode === 0
  inputOf(this).sink!.closed({ complete, code: this.rstCode ?? 0 })
}

function sendNoTrailers(this: ServerHttp2Stream): void {
  sendTrailers(this, {})
}

function sendTrailers(raw: ServerHttp2Stream, fields: Fields): void {
  raw.sendTrailers(fields)
  // Node closes a stream whose body nobody reads, but not one with trailers. They leave in a
  // setImmediate of their own.
  if (raw.readableFlowing === null) setImmediate(() => setImmediate(() => closeUnread.call(raw)))
}

function closeUnread(this: ServerHttp2Stream): void {
  if (!this.readableEnded && !this.destroyed) {
    setImmediate(() => this.close(constants.NGHTTP2_NO_ERROR))
  }
}
