import type { IncomingHttpHeaders } from 'node:http2'
import { HoldfastError } from '../errors.js'

/** Header fields as users give them; undefined is left out, a list becomes several fields. */
export type HeaderFields = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** Checked fields: names in lower case, no pseudo-headers, values that hold no line break. */
export type Fields = Record<string, string | string[]>

/** Whether an answer has no body (RFC 9110, section 15). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

const kName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** The most of all names and values together; nghttp2 sends no header block above 64 KiB. */
const kMaxHeaders = 60 << 10
const kFieldOverhead = 12
const kMaxTrailers = 32 << 10
// Field values are bytes (RFC 9110, section 5.5).
const kValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** They speak of one connection, which is not what HTTP/2 sends them over (RFC 9113, section 8.2.2). */
export const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function checkFields(headers: HeaderFields): Fields {
  if (typeof headers !== 'object' || headers === null) throw invalid('headers must be an object')
  const fields: Fields = {}
  let size = 0
  for (const [key, value] of Object.entries(headers)) {
    if (value === undefined || key === ':status') continue
    const name = key.toLowerCase()
    if (!kName.test(name) || connectionFields.has(name)) {
      throw invalid(`not a header field of an answer: ${JSON.stringify(key)}`)
    }
    size += kFieldOverhead + name.length
    if (Array.isArray(value)) {
      const list = value.map((one) => checkValue(name, one))
      size += list.reduce((sum, one) => sum + kFieldOverhead + name.length + one.length, 0)
      fields[name] = list
    } else {
      const one = checkValue(name, value)
      size += one.length
      fields[name] = one
    }
  }
  if (size > kMaxHeaders) throw invalid(`headers may take ${kMaxHeaders} bytes`)
  return fields
}

/** Trailers: a list becomes one field (RFC 9110, section 5.3). @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function checkTrailers(trailers: HeaderFields): Record<string, string> {
  const fields = Object.entries(checkFields(trailers)).map(([name, value]): [string, string] => [
    name,
    [value].flat().join(', '),
  ])
  const size = fields.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (size > kMaxTrailers) throw invalid(`trailers may take ${kMaxTrailers} bytes`)
  return Object.fromEntries(fields)
}

/**
 * The Last-Event-ID of a request; undefined if there is none. It is UTF-8 (WHATWG HTML, section 9.2.3),
 * and Node reads fields as Latin-1.
 */
export function lastEventIdIn(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['last-event-id']
  if (typeof value !== 'string' || value === '') return undefined
  return Buffer.from(value, 'latin1').toString()
}

/** The `:status` among the headers. @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function statusOf(
  headers: HeaderFields,
  from: number,
  to: number,
  otherwise?: number,
): number {
  const given = (headers as HeaderFields | null)?.[':status'] ?? otherwise
  const status = typeof given === 'string' ? Number(given) : given
  // Nothing switches protocols over HTTP/2 by 101 (RFC 9113, section 8.6).
  if (
    typeof status !== 'number' ||
    !Number.isInteger(status) ||
    status < from ||
    status > to ||
    status === 101
  ) {
    throw invalid(`:status must be a whole number from ${from} to ${to}`)
  }
  return status
}

function checkValue(name: string, value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !kValue.test(text)) {
    throw invalid(`not a value of a header field: ${name}`)
  }
  return text
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', message)
}
