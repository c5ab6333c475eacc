import type { IncomingHttpHeaders } from 'node:http2'
import { connectionFields, type HeaderFields } from './fields.js'
import type { RequestStream } from './request-stream.js'

/** What a fetch handler is told beside the request. */
export interface FetchInfo {
  /** For what a Response cannot say: `manager.sse(stream)`, interim answers, the uid. */
  readonly stream: RequestStream
}

/** A handler as Deno.serve, Bun.serve and Hono's `app.fetch` know it. */
export type FetchHandler = (
  request: Request,
  info: FetchInfo,
) => Response | undefined | Promise<Response | undefined>

/**
 * A listener for `manager.on('stream')` that answers by a fetch handler. Bodies are streams both ways,
 * and a slow reader slows its writer; `request.signal` is aborted when the peer goes before the answer
 * is complete. What the handler returns is ignored once it has answered by `info.stream` itself.
 *
 * What fetch has no Request for is answered here: CONNECT and TRACE with 501, a request without a
 * usable URL with 400. When the answer is complete, a body that nobody is reading is given up.
 */
export function fetchListener(
  handler: FetchHandler,
): (stream: RequestStream, headers: IncomingHttpHeaders) => Promise<void> {
  return async (stream, headers) => {
    const request = toRequest(stream, headers)
    if (typeof request === 'number') {
      stream.respond({ ':status': request }, { endStream: true })
      stream.abandonBody()
      return
    }
    const response = await handler(request, { stream })
    if (stream.headersSent || stream.gone) drop(response)
    else await send(stream, response)
    if (stream.answered) stream.abandonBody()
  }
}

/** The Request, or the status to answer instead. */
function toRequest(stream: RequestStream, headers: IncomingHttpHeaders): Request | number {
  const { ':method': method = '', ':path': path = '', ':scheme': scheme = 'http' } = headers
  const authority = headers[':authority'] ?? headers.host ?? ''
  if (/^(CONNECT|TRACE|TRACK)$/i.test(method)) return 501
  // Else a part of the path or a user's name could pass for the host.
  if (!path.startsWith('/') || !/^[^/?#@\\\s]+$/.test(authority)) return 400
  const fields = new Headers()
  const bodied = stream.hasBody && method !== 'GET' && method !== 'HEAD'
  try {
    for (const name in headers) {
      const value = headers[name]
      if (name.startsWith(':') || value === undefined) continue
      if (typeof value === 'string') fields.append(name, value)
      else for (const one of value) fields.append(name, one)
    }
    return new Request(`${scheme}://${authority}${path}`, {
      method,
      headers: fields,
      signal: stream.signal,
      ...(bodied ? { body: stream.body, duplex: 'half' } : {}),
    })
  } catch {
    return 400
  }
}

async function send(stream: RequestStream, response: Response | undefined): Promise<void> {
  if (typeof response?.status !== 'number' || !(response.headers instanceof Headers)) {
    throw new TypeError('the fetch handler returned no Response')
  }
  const { status, body } = response
  stream.respond({ ...toFields(response.headers), ':status': status }, { endStream: body === null })
  if (body === null) return
  if (stream.bodiless) {
    drop(response)
    stream.end()
    return
  }
  const reader = body.getReader()
  const { flow } = stream
  // A read that is pending then ends, and so does the loop. It may have been ended by uid.
  const cancel = (): void => void reader.cancel(flow.error).catch(() => {})
  flow.whenClosed(() => {
    if (!stream.answered) cancel()
  })
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!stream.write(value) && !(await stream.drained())) {
      cancel()
      break
    }
  }
  stream.end()
}

function toFields(headers: Headers): HeaderFields {
  const fields: Record<string, string | string[]> = {}
  for (const [name, value] of headers) {
    if (!connectionFields.has(name) && name !== 'set-cookie') fields[name] = value
  }
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) fields['set-cookie'] = cookies
  return fields
}

/** Lets whoever makes the body know that nobody wants it. */
function drop(response: Response | undefined): void {
  if (response?.body && !response.body.locked) void response.body.cancel().catch(() => {})
}
