import type { ServerResponse } from 'node:http'
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'
import type { RequestTaker } from '../request/request-taker.js'
import { answerStatically } from '../static-answers.js'
import { http1Requests, isHttp1, prepareHttp1Request } from './http1-requests.js'
import { http2Requests, prepareHttp2Request } from './http2-requests.js'

const kTaker = Symbol('holdfast.requestTaker')
type Source = Server & { [kTaker]?: RequestTaker }

/**
 * Gives the requests of a server to `taker` instead of the server's own listeners, so that each is
 * answered once: by one or the other. Those of HTTP/1.1 stay with the server's own `request` listener
 * if it has one. A server calls its listeners through its `emit`, the one place that sees a request
 * before all of them, also before http2's compat layer.
 */
export function takeRequestsOf(server: Server, taker: RequestTaker): void {
  const source = server as Source
  const installed = source[kTaker] !== undefined
  source[kTaker] = taker
  if (installed) return
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean
  server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === 'stream') {
      const raw = args[0] as ServerHttp2Stream
      return takeHttp2(source[kTaker]!, raw, args[1] as IncomingHttpHeaders) || emitOr(refuse, raw)
    }
    if (event === 'request' && isHttp1(args[0]) && server.listenerCount('request') === 0) {
      const raw = args[1] as ServerResponse
      return takeHttp1(source[kTaker]!, raw) || emitOr(unavailable, raw)
    }
    return emit(event, ...args)

    /** Those who took requests have gone, and perhaps nobody else is there. */
    function emitOr<Raw>(decline: (raw: Raw) => void, raw: Raw): boolean {
      if (!emit(event, ...args)) decline(raw)
      return true
    }
  }
}

function takeHttp2(
  taker: RequestTaker,
  raw: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): boolean {
  if (!taker.wanted()) return false
  prepareHttp2Request(raw)
  if (!answerStatically(http2Requests, raw, headers)) taker.take(http2Requests, raw, headers)
  return true
}

function takeHttp1(taker: RequestTaker, raw: ServerResponse): boolean {
  if (!taker.wanted()) return false
  const headers = prepareHttp1Request(raw)
  if (!answerStatically(http1Requests, raw, headers)) taker.take(http1Requests, raw, headers)
  return true
}

/** The peer may try again elsewhere (RFC 9113, section 8.7). */
function refuse(raw: ServerHttp2Stream): void {
  raw.on('error', () => {}).close(constants.NGHTTP2_REFUSED_STREAM)
}

function unavailable(raw: ServerResponse): void {
  raw.writeHead(503).end()
}
