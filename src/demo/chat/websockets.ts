import type { IncomingMessage } from 'node:http'
import type { Http2SecureServer, IncomingHttpHeaders } from 'node:http2'
import type { WebSocketStream } from '../../index.js'
import { urlOf } from '../url.js'
import { isOwnOrigin } from './origin.js'
import { enter, GapTeller, tell, type House } from './rooms.js'
import { say } from './say.js'
import { readVisitor, tagsOf, type Visitor } from './visitor.js'

/** Close codes of our own (RFC 6455, section 7.4.2): no retry helps. */
const kRefused = 4000
const kMostMessageBytes = 16 * 1024
const kPath = '/socket'

/** `/socket`: into a room by a WebSocket, by extended CONNECT or by Upgrade. */
export function answerWebSockets(server: Http2SecureServer, house: House): void {
  const { manager } = house
  const hear = (socket: WebSocketStream | undefined, visitor: Visitor | string, gap: GapTeller) => {
    if (!socket) return
    const refused = typeof visitor === 'string' ? visitor : enter(house, socket, visitor, gap)
    if (typeof visitor === 'string' || refused !== undefined) {
      tell(socket, { type: 'refused', error: refused })
      socket.close({ code: kRefused })
      return
    }
    socket.on('message', (data) => {
      const refusal = say(house, visitor, readJson(data))
      if (refusal) tell(socket, { type: 'refused', error: refusal.error, nonce: refusal.nonce })
    })
  }
  const ask = (url: string, headers: IncomingHttpHeaders, http: string) => {
    const { path, query } = urlOf(url)
    const status = path !== kPath ? 404 : isOwnOrigin(headers) ? 101 : 403
    const visitor = readVisitor(query, `WebSocket over ${http}`)
    const gap = new GapTeller(undefined)
    const tags = typeof visitor === 'string' ? {} : { tags: tagsOf(visitor) }
    const options = { ...tags, maxMessageBytes: kMostMessageBytes, onGap: gap.onGap }
    return { status, visitor, gap, options }
  }

  server.on('stream', (stream, headers) => {
    if (headers[':protocol'] === undefined) return
    const { status, visitor, gap, options } = ask(headers[':path'] ?? '/', headers, 'HTTP/2')
    if (status === 101) hear(manager.websocket(stream, headers, options), visitor, gap)
    else stream.respond({ ':status': status }, { endStream: true })
  })
  server.on('upgrade', (request: IncomingMessage, _: unknown, head: Buffer) => {
    const { status, visitor, gap, options } = ask(request.url ?? '/', request.headers, 'HTTP/1.1')
    if (status === 101) return hear(manager.websocket(request, head, options), visitor, gap)
    request.socket.on('error', () => {})
    request.socket.end(
      `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    )
  })
}

function readJson(data: string | Buffer): unknown {
  try {
    return typeof data === 'string' ? JSON.parse(data) : undefined
  } catch {
    return undefined
  }
}
