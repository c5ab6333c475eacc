import type { IncomingHttpHeaders } from 'node:http2'
import { HoldfastError } from './errors.js'
import { native } from './native.js'
import { readFields, writeHead } from './reactor/fields.js'
import {
  checkFields,
  isBodiless,
  statusOf,
  type Fields,
  type HeaderFields,
} from './request/fields.js'
import type { RequestCarrier, RequestSink } from './request/request-carrier.js'

/** What a `:path` may hold before its query. */
const kPath = /^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/
/** A reactor copies them into what waits for a connection, which is bounded. */
const kMaxPayload = 1 << 20

const nobody: RequestSink = { data() {}, ended() {}, closed() {} }

/** @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function setStaticAnswer(
  path: string,
  headers: HeaderFields | null,
  payload: string | Uint8Array = '',
): void {
  if (typeof path !== 'string' || !kPath.test(path)) {
    throw invalid('the path of a static answer begins with a slash and has no query')
  }
  if (headers === null) return native.setStaticAnswer(path, undefined, undefined)
  const status = statusOf(headers, 200, 599, 200)
  const fields = checkFields(headers)
  const body = bytesOf(payload)
  const bodiless = isBodiless(status)
  if (bodiless && body.length > 0) throw invalid(`a ${status} has no body`)
  if (!bodiless) fields['content-length'] = String(body.length)
  native.setStaticAnswer(
    path,
    Buffer.from(writeHead(status, fields), 'latin1'),
    body.length > 0 ? body : undefined,
  )
}

/** Answers a request that no reactor has seen; false if there is no such answer. */
export function answerStatically<Raw>(
  carrier: RequestCarrier<Raw>,
  raw: Raw,
  { ':method': method, ':path': target }: IncomingHttpHeaders,
): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || target === undefined) return false
  const found = native.staticAnswer(target)
  if (!found) return false
  const [text, body] = found
  const { ':status': status, ...fields } = readFields(text, 0, text.length) as Fields
  const endStream = body === undefined || method === 'HEAD'
  if (carrier.hasBody(raw)) {
    carrier.attach(raw, nobody)
    carrier.discard(raw)
  }
  carrier.head(raw, { status: Number(status), fields, endStream, trailers: false })
  if (endStream) return true
  carrier.write(raw, body)
  carrier.end(raw)
  return true
}

function bytesOf(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  if (bytes instanceof Uint8Array && bytes.length <= kMaxPayload) return bytes
  throw invalid(`a payload must be a string or Uint8Array of at most ${kMaxPayload} bytes`)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', message)
}
