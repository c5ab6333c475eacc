import { Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Lets extended CONNECT (RFC 8441) reach the server's `stream` listeners although it has a `request`
 * listener: then node answers 405 to every CONNECT, before or after them, unless somebody listens to
 * `connect`. What nobody is there for is answered as node would. Returns what undoes it.
 */
export function admitExtendedConnect(server: Server): () => void {
  // An HTTP/1.1 server has no such requests.
  if (!('updateSettings' in server)) return () => {}
  const onConnect = (
    request: Http2ServerRequest | IncomingMessage,
    response: Http2ServerResponse | Duplex,
  ): void => {
    if (server.listenerCount('connect') > 1) return
    if (!(request instanceof Http2ServerRequest)) {
      request.socket.destroy()
      return
    }
    // One `stream` listener is node's own, which called this.
    if (request.headers[':protocol'] !== undefined && server.listenerCount('stream') > 1) return
    const refused = response as Http2ServerResponse
    refused.statusCode = 405
    refused.end()
  }
  server.on('connect', onConnect)
  return () => server.off('connect', onConnect)
}
