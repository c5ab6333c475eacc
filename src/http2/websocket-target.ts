import { Http2ServerRequest, type IncomingHttpHeaders } from 'node:http2'
import { IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { ServerHttp2Stream } from 'node:http2'
import { HoldfastError } from '../errors.js'
import { ReactorRequest } from '../reactor/reactor-request.js'
import { RequestStream } from '../request/request-stream.js'
import type { Channel } from '../websocket/channel.js'
import { DuplexChannel } from '../websocket/duplex-channel.js'
import type { HandshakeRequest, Refusal } from '../websocket/handshake.js'
import { RequestChannel } from '../websocket/request-channel.js'
import { resolveTarget, type ResolvedTarget } from './target.js'

/** What may ask for a WebSocket: a stream of node:http2, or a request of `upgrade` or `connect`. */
export type WebSocketTarget =
  RequestStream | ServerHttp2Stream | Http2ServerRequest | IncomingMessage

/** A request for a WebSocket, taken apart. */
export interface ResolvedWebSocket {
  readonly target: ResolvedTarget
  readonly channel: Channel
  readonly request: HandshakeRequest
  /** Says yes, with these headers; from then on the stream is the WebSocket's. */
  accept(headers: Readonly<Record<string, string>>): void
  refuse(refusal: Refusal): void
}

/**
 * Undefined if its peer has gone already.
 * @throws ERR_HOLDFAST_INVALID_STREAM, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_HEADERS_SENT
 */
export function resolveWebSocket(target: unknown, second: unknown): ResolvedWebSocket | undefined {
  if (target instanceof Http2ServerRequest) {
    return resolveConnect(target.stream, target.headers)
  }
  if (target instanceof IncomingMessage) return resolveUpgrade(target, second)
  const raw = target instanceof RequestStream ? target.raw : target
  if (raw instanceof Duplex && 'sentHeaders' in raw) {
    return resolveConnect(raw as ServerHttp2Stream, requireHeaders(second))
  }
  if (target instanceof RequestStream && raw instanceof ReactorRequest) {
    return resolveRequest(target, raw, requireHeaders(second))
  }
  throw new HoldfastError('ERR_HOLDFAST_INVALID_STREAM')
}

/** Extended CONNECT on a reactor. */
function resolveRequest(
  stream: RequestStream,
  raw: ReactorRequest,
  headers: IncomingHttpHeaders,
): ResolvedWebSocket | undefined {
  const target = unlessDead(() => stream.resolve())
  if (!target) return undefined
  requireUnanswered(target)
  const { carrier } = stream
  const head = (status: number, given: Readonly<Record<string, string>>, endStream: boolean) =>
    carrier.head(raw, { status, fields: { ...given }, endStream, trailers: false })
  if (!raw.hasBody) {
    // Its peer has ended it already, and still waits for an answer.
    head(400, {}, true)
    return undefined
  }
  return {
    target: { raw, carrier, headersSent: false },
    channel: new RequestChannel(raw, carrier),
    request: connectRequest(headers),
    accept: (responseHeaders) => head(200, responseHeaders, false),
    refuse: ({ status, responseHeaders }) => head(status, responseHeaders, true),
  }
}

/** Extended CONNECT (RFC 8441). */
function resolveConnect(
  stream: ServerHttp2Stream | undefined,
  headers: IncomingHttpHeaders,
): ResolvedWebSocket | undefined {
  const target = stream && alive(stream)
  if (!target) return undefined
  requireUnanswered(target)
  return {
    target,
    channel: new DuplexChannel(stream, target.carrier),
    request: connectRequest(headers),
    accept: (responseHeaders) => stream.respond({ ':status': 200, ...responseHeaders }),
    refuse({ status, responseHeaders }) {
      stream.on('error', ignore)
      stream.respond({ ':status': status, ...responseHeaders }, { endStream: true })
      stream.resume()
    },
  }
}

/** HTTP/1.1 Upgrade (RFC 6455, section 4). */
function resolveUpgrade(request: IncomingMessage, head: unknown): ResolvedWebSocket | undefined {
  // Node's own, not in its public types.
  if (!(request as IncomingMessage & { upgrade: boolean | null }).upgrade)
    throw new HoldfastError('ERR_HOLDFAST_INVALID_STREAM', 'not an upgrade request')
  if (!(head instanceof Uint8Array)) {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', 'head must be what `upgrade` gave')
  }
  const socket = request.socket as Socket & Duplex
  const target = alive(socket)
  if (!target) return undefined
  const { headers, method } = request
  return {
    target,
    channel: new DuplexChannel(socket, target.carrier),
    request: { method, protocol: headers.upgrade, upgrade: true, headers },
    accept(responseHeaders) {
      socket.setTimeout(0)
      socket.setNoDelay(true)
      if (head.length > 0) socket.unshift(head)
      const fields = { upgrade: 'websocket', connection: 'Upgrade', ...responseHeaders }
      socket.write(responseText(101, fields))
    },
    refuse({ status, responseHeaders }) {
      const fields = { connection: 'close', 'content-length': '0', ...responseHeaders }
      socket.on('error', ignore)
      socket.once('finish', () => socket.destroy())
      socket.end(responseText(status, fields))
    },
  }
}

function requireHeaders(headers: unknown): IncomingHttpHeaders {
  if (typeof headers === 'object' && headers !== null) return headers as IncomingHttpHeaders
  throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', 'the headers of the request are missing')
}

function requireUnanswered({ headersSent }: ResolvedTarget): void {
  if (!headersSent) return
  throw new HoldfastError('ERR_HOLDFAST_HEADERS_SENT', 'the request was answered already')
}

function connectRequest(headers: IncomingHttpHeaders): HandshakeRequest {
  return { method: headers[':method'], protocol: headers[':protocol'], upgrade: false, headers }
}

function alive(raw: Duplex): ResolvedTarget | undefined {
  return raw.readable ? unlessDead(() => resolveTarget(raw)) : undefined
}

function unlessDead(resolve: () => ResolvedTarget): ResolvedTarget | undefined {
  try {
    return resolve()
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_STREAM_DEAD')
      return undefined
    throw error
  }
}

function responseText(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`
}

function ignore(): void {}
