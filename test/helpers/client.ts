import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { once } from 'node:events'

/** A client session whose errors concern nobody. */
export function connect(
  url: string,
  options: http2.SecureClientSessionOptions = {},
): ClientHttp2Session {
  const session = http2.connect(url, options)
  session.on('error', () => {})
  return session
}

/** A response that is read as it comes. */
export interface Reading {
  readonly stream: ClientHttp2Stream
  readonly status: number
  readonly headers: http2.IncomingHttpHeaders
  readonly text: () => string
  readonly closed: () => boolean
}

export async function get(
  session: ClientHttp2Session,
  path = '/',
  fields: http2.OutgoingHttpHeaders = {},
): Promise<Reading> {
  const stream = session.request({ ...fields, ':path': path })
  stream.on('error', () => {})
  let text = ''
  let closed = false
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  stream.on('close', () => (closed = true))
  const [headers] = (await once(stream, 'response')) as [
    http2.IncomingHttpHeaders & { ':status': number },
  ]
  return { stream, status: headers[':status'], headers, text: () => text, closed: () => closed }
}
