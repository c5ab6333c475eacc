import type { IncomingHttpHeaders } from 'node:http2'
import { HoldfastError } from '../errors.js'
import type { Fields } from '../request/fields.js'

/**
 * Fields of which a request may have one: of more, the first counts. The list is that of node:http2,
 * so that a handler sees the same on both carriers.
 */
const kSingle: ReadonlySet<string> = new Set([
  ':status',
  ':method',
  ':authority',
  ':scheme',
  ':path',
  ':protocol',
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
])

/** Reads `name`, NUL, `value`, NUL and so on, into the shape that node:http2 gives headers. */
export function readFields(memory: Buffer, begin: number, end: number): IncomingHttpHeaders {
  const text = memory.toString('latin1', begin, end)
  const headers = { __proto__: null } as unknown as IncomingHttpHeaders
  for (let at = 0; at < text.length;) {
    const nameEnd = text.indexOf('\0', at)
    const valueEnd = text.indexOf('\0', nameEnd + 1)
    const name = text.slice(at, nameEnd)
    const value = text.slice(nameEnd + 1, valueEnd)
    at = valueEnd + 1
    const before = headers[name]
    if (before !== undefined) join(headers, name, before, value)
    else headers[name] = name === 'set-cookie' ? [value] : value
  }
  return headers
}

function join(
  headers: IncomingHttpHeaders,
  name: string,
  before: string | string[],
  value: string,
): void {
  if (typeof before !== 'string') before.push(value)
  else if (!kSingle.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
}

/**
 * The same form of what is sent.
 * @throws ERR_HOLDFAST_INVALID_ARGUMENT for a list where there may be one value
 */
export function writeFields(fields: Fields): string {
  let text = ''
  for (const name in fields) {
    const value = fields[name]!
    if (typeof value === 'string') {
      text += `${name}\0${trimmed(value)}\0`
      continue
    }
    if (value.length > 1 && kSingle.has(name)) {
      throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', `there may be one ${name} only`)
    }
    for (const one of value) text += `${name}\0${trimmed(one)}\0`
  }
  return text
}

/** The head of an answer. @throws as `writeFields` */
export function writeHead(status: number, fields: Fields): string {
  return `:status\0${status}\0${writeFields(fields)}`
}

/** Blanks around a value are no part of it (RFC 9110, section 5.5), and HTTP/2 forbids them. */
function trimmed(value: string): string {
  const isBlank = (at: number): boolean => value.charCodeAt(at) === 32 || value.charCodeAt(at) === 9
  if (!isBlank(0) && !isBlank(value.length - 1)) return value
  return value.replace(/^[ \t]+|[ \t]+$/g, '')
}
