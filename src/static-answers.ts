import type { IncomingHttpHeaders } from 'node:http2'
import { HoldfastError } from './errors.js'
import { native } from './native.js'
import { readFields, writeFields } from './reactor/fields.js'
import { checkFields, statusOf, type HeaderFields } from './request/fields.js'
import type { RequestStream } from './request/request-stream.js'

/** What a `:path` may hold before its query. */
const kPath = /^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/
/** A reactor copies them into what waits for a connection, which is bounded. */
const kMaxPayload = 1 << 20

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
  const bodiless = status === 204 || status === 205 || status === 304
  if (bodiless && body.length > 0) throw invalid(`a ${status} has no body`)
  if (!bodiless) fields['content-length'] = String(body.length)
  const text = `:status\0${status}\0${writeFields(fields)}`
  native.setStaticAnswer(path, Buffer.from(text, 'latin1'), body.length > 0 ? body : undefined)
}

/** Answers a request that no reactor has seen; false if there is no such answer. */
export function answerStatically(stream: RequestStream, headers: IncomingHttpHeaders): boolean {
  const { ':method': method, ':path': target } = headers
  if ((method !== 'GET' && method !== 'HEAD') || target === undefined) return false
  const query = target.indexOf('?')
  const found = native.staticAnswer(query < 0 ? target : target.slice(0, query))
  if (!found) return false
  const [fields, body] = found
  stream.respond(readFields(fields, 0, fields.length))
  stream.end(body)
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
