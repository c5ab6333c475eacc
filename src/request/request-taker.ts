import type { IncomingHttpHeaders } from 'node:http2'
import type { RequestCarrier } from './request-carrier.js'

/** Who takes requests, of a server or of a reactor. */
export interface RequestTaker {
  /** Whether it takes them now; else a server's own listeners get them, as ever. */
  wanted(): boolean
  take(carrier: RequestCarrier, raw: unknown, headers: IncomingHttpHeaders): void
}
