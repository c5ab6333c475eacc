import type { ServerHttp2Stream } from 'node:http2'
import type { ServerResponse } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import type { Carrier } from '../carrier.js'

const writable: Pick<Carrier<Writable>, 'ended' | 'write' | 'cork' | 'uncork' | 'end'> = {
  ended: (raw) => raw.destroyed || raw.writableEnded,
  write: (raw, bytes, done) => void raw.write(bytes, done),
  cork: (raw) => raw.cork(),
  uncork: (raw) => raw.uncork(),
  end: (raw) => void raw.end(),
}

/** A stream of node:http2. */
export const http2Carrier: Carrier<ServerHttp2Stream> = {
  ...writable,
  ended: (raw) => raw.destroyed || raw.writableEnded || raw.closed,
  respond: (raw, headers) => raw.respond({ ':status': 200, ...headers }),
  reset: (raw, code) => raw.close(code),
  reason(raw) {
    // CANCEL is how a client says that it wants no more (RFC 9113, section 7).
    if (raw.aborted && (raw.rstCode === 0 || raw.rstCode === 8)) return 'abort'
    return raw.rstCode === 0 ? 'end' : 'reset'
  },
}

/** An HTTP/1.1 response: it encodes its own bytes, so it is kept until it closes. */
export const http1Carrier: Carrier<ServerResponse> = {
  ...writable,
  respond: (raw, headers) => void raw.writeHead(200, headers).flushHeaders(),
  reset: (raw) => void raw.destroy(),
  reason: (raw) => (raw.writableFinished ? 'end' : raw.errored ? 'reset' : 'abort'),
}

/** Any Duplex: a socket, an upgraded connection, a pipe. */
export const duplexCarrier: Carrier<Duplex> = {
  ...writable,
  reset: (raw) => void raw.destroy(),
  reason: (raw) => (raw.errored ? 'reset' : raw.writableFinished ? 'end' : 'abort'),
}
