import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'

/** Who takes a server's requests. */
export interface RequestTaker {
  /** Whether it takes them now; else the server's own listeners get them, as ever. */
  wanted(): boolean
  take(raw: ServerHttp2Stream, headers: IncomingHttpHeaders): void
}

const kTaker = Symbol('holdfast.requestTaker')
type Source = Server & { [kTaker]?: RequestTaker }

/**
 * Gives the HTTP/2 requests of a server to `taker` instead of the server's own listeners, so that
 * each is answered once: by one or the other. node:http2 calls the server's listeners through its
 * `emit`, the one place that sees a request before all of them. HTTP/1.1 requests stay with them.
 */
export function takeRequestsOf(server: Server, taker: RequestTaker): void {
  const source = server as Source
  const installed = source[kTaker] !== undefined
  source[kTaker] = taker
  if (installed) return
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean
  server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'stream') return emit(event, ...args)
    const raw = args[0] as ServerHttp2Stream
    if (source[kTaker]!.wanted()) {
      source[kTaker]!.take(raw, args[1] as IncomingHttpHeaders)
      return true
    }
    const answered = emit(event, ...args)
    // Those who took them have gone, and nobody else is there.
    if (!answered) raw.on('error', () => {}).close(constants.NGHTTP2_REFUSED_STREAM)
    return answered
  }
}
