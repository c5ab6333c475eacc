import { once } from 'node:events'
import http2 from 'node:http2'
import type { RequestStream } from '../../dist/index.js'
import { connect } from './client.js'
import { serve, type TestServer } from './server.js'

export type Handler = (stream: RequestStream, headers: http2.IncomingHttpHeaders) => unknown

/** A server whose requests go to `manager.on('stream')`, and a client session to it. */
export interface RequestServer extends TestServer {
  readonly client: http2.ClientHttp2Session
}

export async function serveRequests(
  handler: Handler,
  server = http2.createServer(),
): Promise<RequestServer> {
  const serving = await serve(server)
  serving.manager.on('stream', handler)
  const client = connect(serving.url)
  await once(client, 'connect')
  return {
    ...serving,
    client,
    async close() {
      client.destroy()
      await serving.close()
    },
  }
}

/** What came of a request: all of it, however it ended. */
export interface Answer {
  readonly status: number | undefined
  readonly headers: http2.IncomingHttpHeaders
  readonly informational: number[]
  readonly text: string
  readonly trailers: Record<string, unknown> | undefined
  /** The code of the reset; 0 if there was none, or one that says that all is well. */
  readonly code: number
}

export interface RequestOptions {
  readonly headers?: http2.OutgoingHttpHeaders
  readonly body?: string | Buffer
  readonly trailers?: Record<string, string>
}

export function begin(
  client: http2.ClientHttp2Session,
  path: string,
  { headers = {}, body, trailers }: RequestOptions = {},
): http2.ClientHttp2Stream {
  const method = body === undefined ? 'GET' : 'POST'
  const request = client.request(
    { ':path': path, ':method': method, ...headers },
    { endStream: body === undefined, waitForTrailers: trailers !== undefined },
  )
  request.on('error', () => {})
  if (trailers) request.on('wantTrailers', () => request.sendTrailers(trailers))
  if (body !== undefined) request.end(body)
  return request
}

export async function finish(request: http2.ClientHttp2Stream): Promise<Answer> {
  let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {}
  let trailers: Record<string, unknown> | undefined
  let text = ''
  const informational: number[] = []
  request.on('headers', (fields: { ':status'?: number }) => informational.push(fields[':status']!))
  request.on('response', (fields) => (headers = fields))
  request.on(
    'trailers',
    (fields: object) => (trailers = Object.fromEntries(Object.entries(fields))),
  )
  request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  if (!request.destroyed) await new Promise((resolve) => request.once('close', resolve))
  const code = request.rstCode
  return { status: headers[':status'], headers, informational, text, trailers, code }
}

export function ask(
  client: http2.ClientHttp2Session,
  path: string,
  options?: RequestOptions,
): Promise<Answer> {
  return finish(begin(client, path, options))
}

/**
 * Waits until `count` stays the same while PINGs go and come: what was to arrive has arrived, and
 * nothing moves any more.
 */
export async function settled(
  client: http2.ClientHttp2Session,
  count: () => number,
): Promise<number> {
  let last = -1
  for (let same = 0; same < 10; same++) {
    await new Promise<void>((resolve, reject) =>
      client.ping((error) => (error ? reject(error) : resolve())),
    )
    if (count() === last) continue
    last = count()
    same = 0
  }
  return last
}

/** What a client does from inside an event of its session may wait there; so it does it outside. */
export function outside(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
