import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a page of this very origin asks, or no page at all. A WebSocket may be asked for by every
 * page that a browser shows (RFC 6455, section 10.2).
 */
export function isOwnOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin } = headers
  if (origin === undefined) return true
  const host = headers[':authority'] ?? headers.host
  return host !== undefined && origin === `https://${String(host)}`
}
