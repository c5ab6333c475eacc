import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { HoldfastError } from '../errors.js'
import type { ClientIdentity } from '../request/client-identity.js'
import { connectionFields, type Fields } from '../request/fields.js'
import type { RequestCarrier, RequestSink } from '../request/request-carrier.js'
import { http1Carrier } from './carriers.js'
import { clientOf } from './client-of.js'
import { RequestInput } from './request-input.js'

const kClient = Symbol('holdfast.client')
const kInput = Symbol('holdfast.input')
type Raw = ServerResponse & {
  /** Only where TLS has asked who it is. */
  [kClient]?: ClientIdentity
  [kInput]?: RequestInput
}

/** Requests of HTTP/1.1, by their response. A peer that sends on after its answer is read and dropped. */
export const http1Requests: RequestCarrier<ServerResponse> = {
  ...http1Carrier,
  resolve(raw) {
    const owner = raw.req.socket as Socket | null
    if (!owner || isClosed(raw) || http1Carrier.ended(raw)) {
      throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
    }
    return { raw, carrier: http1Requests, owner, headersSent: raw.headersSent }
  },
  isHead: (raw) => raw.req.method === 'HEAD',
  hasBody: ({ req: { headers } }) =>
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
  client: (raw: Raw) => raw[kClient],
  headersSent: (raw) => raw.headersSent,
  closed: isClosed,

  inform(raw, status, fields) {
    if (status === 100) raw.writeContinue()
    else if (status === 102) raw.writeProcessing()
    // Node has no other; a client must do without them anyway (RFC 9110, section 15.2).
    else if (status === 103 && fields['link'] !== undefined) raw.writeEarlyHints(fields)
  },

  head(raw, { status, fields, endStream }) {
    const bodiless = raw.req.method === 'HEAD' || status === 204 || status === 304
    if (endStream && !bodiless) fields['content-length'] ??= '0'
    raw.writeHead(status, STATUS_CODES[status] ?? '', fields)
    if (endStream) raw.end()
    // The head leaves with the first of the body if that comes at once.
    else process.nextTick(() => raw.writableEnded || raw.flushHeaders())
  },

  endWithTrailers(raw, fields) {
    raw.addTrailers(fields)
    http1Carrier.end(raw)
  },

  attach(raw: Raw, sink) {
    raw[kInput] = new RequestInput(raw.req, sink)
    if (isClosed(raw)) close(raw, sink)
    else raw.on('close', () => closeBehindBody(raw, sink))
  },

  read: (raw: Raw) =>
    raw[kInput]!.read(() => (raw.req.complete ? (raw.req.trailers as Fields) : undefined)),
  consume: (raw: Raw, bytes) => raw[kInput]!.consume(bytes),
  discard: (raw: Raw) => raw[kInput]!.discard(),
}

/** `host` is `:authority`, and node has answered `expect` already. */
const kLeftOut: ReadonlySet<string> = new Set([...connectionFields, 'host', 'expect'])

/** Called for each request as it comes; its headers in the form that HTTP/2 gives them. */
export function prepareHttp1Request(raw: Raw): IncomingHttpHeaders {
  const { req } = raw
  raw.on('error', () => {})
  const encrypted = 'encrypted' in req.socket
  const client = encrypted && clientOf(req.socket, req.socket as TLSSocket)
  if (client) raw[kClient] = client
  const headers: IncomingHttpHeaders = {
    ':method': req.method,
    ':path': req.url,
    ':scheme': encrypted ? 'https' : 'http',
    ':authority': req.headers.host,
  }
  for (const [name, value] of Object.entries(req.headers)) {
    if (!kLeftOut.has(name)) headers[name] = value
  }
  return headers
}

function isClosed(raw: ServerResponse): boolean {
  return raw.closed || raw.destroyed
}

/** A response closes when it is sent; the body may still be on its way to its reader. */
function closeBehindBody(raw: ServerResponse, sink: RequestSink): void {
  const { req } = raw
  if (!raw.writableFinished || req.readableEnded || req.destroyed) close(raw, sink)
  else req.once('close', () => close(raw, sink))
}

function close(raw: ServerResponse, sink: RequestSink): void {
  sink.closed({ complete: raw.writableFinished, code: 0 })
}

/** Whether what a server's `request` event brings is of HTTP/1.1, and not of http2's compat layer. */
export function isHttp1(request: unknown): request is IncomingMessage {
  return (request as IncomingMessage).httpVersionMajor === 1
}
