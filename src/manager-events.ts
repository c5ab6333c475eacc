import type { IncomingHttpHeaders } from 'node:http2'
import type { RequestStream } from './request/request-stream.js'
import type { EventsSocket } from './socket.js'

export interface StreamManagerEvents {
  /** A socket that this thread has streams of: before anything is told of the first. */
  socket: [EventsSocket]
  /**
   * A request: one of a reactor's (carrier `native`), or to the server given to `accept`. While somebody
   * listens, the server's own listeners get none of HTTP/2, and those of HTTP/1.1 only if it has one for
   * `request`.
   */
  stream: [RequestStream, IncomingHttpHeaders]
  /** Another thread has gone, and with it its streams. */
  workerExit: [{ worker: number; streams: number }]
}
