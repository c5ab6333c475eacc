import { HoldfastError } from './errors.js'
import { requireKnown } from './options.js'
import type { SlowReaderOptions } from './slow-policy.js'

export interface SseOptions extends SlowReaderOptions {
  tags?: readonly string[]
  /** Further response headers. */
  headers?: Readonly<Record<string, string>>
}

/** Answers and proxies must neither keep nor transform the stream (RFC 9111, section 5.2). */
const sseHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
}

/** The response headers of an event stream. @throws ERR_HOLDFAST_INVALID_OPTION */
export function sseResponseHeaders(options: SseOptions): Record<string, string> {
  requireKnown('options', options, ['tags', 'headers', 'onSlow', 'onGap'])
  const { headers = {} } = options
  if (typeof headers !== 'object' || headers === null) {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', 'headers must be an object')
  }
  const merged: Record<string, string> = { ...sseHeaders }
  for (const [name, value] of Object.entries(headers)) {
    if (
      typeof value !== 'string' ||
      /[\r\n\0]/.test(value) ||
      !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
    ) {
      throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', `not a response header: ${name}`)
    }
    merged[name.toLowerCase()] = value
  }
  return merged
}
