import type { ServerHttp2Stream } from 'node:http2'
import { OutgoingMessage, type ServerResponse } from 'node:http'
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
  // Of `destroyed` and `writableEnded` this is the one that looks at nothing beside what a write does.
  ended: (raw) => !raw.writable || raw.closed,
  // What it still had would begin its answer, which node throws at.
  uncork: (raw) => void ((raw.closed && !raw.headersSent) || raw.uncork()),
  left: (raw) => raw.writableLength,
  respond: (raw, headers) => raw.respond({ ':status': 200, ...headers }),
  reset: resetHttp2,
  reason(raw) {
    // CANCEL is how a client says that it wants no more (RFC 9113, section 7).
    if (raw.aborted && (raw.rstCode === 0 || raw.rstCode === 8)) return 'abort'
    return raw.rstCode === 0 ? 'end' : 'reset'
  },
}

/**
 * Node ends a stream that it resets, and sends that end first: the peer would take what it has for the
 * whole. So it gets nothing to end.
 */
function resetHttp2(raw: ServerHttp2Stream, code: number): void {
  if (raw.closed) return
  raw.end = () => raw
  raw.close(code)
  delete (raw as Partial<ServerHttp2Stream>).end
}

/** To copy more costs more than the pieces. */
const kFramedBytes = 16 << 10

/** RFC 9112, section 7.1. */
function chunkOf(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2)
  const begin = chunk.write(size, 'latin1')
  chunk.set(bytes, begin)
  chunk[begin + bytes.length] = 0x0d
  chunk[begin + bytes.length + 1] = 0x0a
  return chunk
}

const nodesWrite: unknown = Reflect.get(OutgoingMessage.prototype, 'write')

/**
 * Node writes a chunk in four pieces. It is given one that is a chunk already, unless somebody else has a
 * hand in what is written, as a middleware that compresses. While the response is corked, newer versions
 * hold back what they make chunks of, and would send this before it.
 */
function writeHttp1(raw: ServerResponse, bytes: Buffer, done?: (error?: unknown) => void): void {
  const isPlain = raw.chunkedEncoding && raw.headersSent && raw.write === nodesWrite
  const isSmall = bytes.length > 0 && bytes.length <= kFramedBytes
  if (!isPlain || !isSmall || raw.writableCorked > 0) return void raw.write(bytes, done)
  raw.chunkedEncoding = false
  try {
    raw.write(chunkOf(bytes), done)
  } finally {
    raw.chunkedEncoding = true
  }
}

/** An HTTP/1.1 response: it encodes its own bytes, so it is kept until it closes. */
export const http1Carrier: Carrier<ServerResponse> = {
  ...writable,
  write: writeHttp1,
  // Node joins what a tick writes by itself.
  cork() {},
  uncork() {},
  end(raw) {
    if (!raw.headersSent) raw.writeHead(503)
    // Node 22 and 24 put the last chunk before the others when they are still corked.
    while (raw.writableCorked > 0) raw.uncork()
    raw.end()
  },
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
