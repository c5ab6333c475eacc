import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** A request and its answer, in the protocol that the client speaks. */
export type Exchange =
  | { readonly request: Http2ServerRequest; readonly response: Http2ServerResponse }
  | { readonly request: IncomingMessage; readonly response: ServerResponse }

/** What the two kinds of response have in common. */
interface AnyResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body?: string | Uint8Array): unknown
}

/** Nothing from elsewhere, nothing inline, and no frame around it. */
const kPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': kPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export function answer(
  { request, response }: Exchange,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): void {
  const any = response as AnyResponse
  any.statusCode = status
  for (const [name, value] of Object.entries({ ...securityHeaders, ...headers })) {
    any.setHeader(name, value)
  }
  any.setHeader('content-length', String(Buffer.byteLength(body)))
  if (request.method === 'HEAD') any.end()
  else any.end(body)
}

export function answerJson(
  exchange: Exchange,
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  answer(exchange, status, { ...type, ...headers }, `${JSON.stringify(value)}\n`)
}

/** The request's body as text; undefined when it is longer than `mostBytes`, or never ended. */
export function readBody({ request }: Exchange, mostBytes: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      // The rest is read and dropped, so that the client gets to read the answer.
      if (bytes <= mostBytes) chunks.push(chunk)
      else resolve(undefined)
    })
    request.on('end', () => resolve(Buffer.concat(chunks).toString()))
    request.on('close', () => resolve(undefined))
    request.on('error', () => resolve(undefined))
  })
}
