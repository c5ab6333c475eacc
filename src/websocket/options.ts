import { HoldfastError } from '../errors.js'
import { requireInteger, requireKnown } from '../options.js'
import type { SlowReaderOptions } from '../slow-policy.js'

/** Negotiation of permessage-deflate (RFC 7692). */
export interface DeflateOptions {
  /** Without context takeover, messages below this many bytes are not compressed. Default 1024. */
  threshold?: number
  /** Forget what was compressed after each message: less memory, worse compression. */
  serverNoContextTakeover?: boolean
  clientNoContextTakeover?: boolean
  /** 9 to 15. */
  serverMaxWindowBits?: number
  clientMaxWindowBits?: number
  /** zlib's, 0 to 9 and 1 to 9. */
  level?: number
  memLevel?: number
}

export interface WebSocketOptions extends SlowReaderOptions {
  /** Subprotocols this server speaks; the first of the client's that is among them is chosen. */
  protocols?: readonly string[]
  /** Chooses one of the client's itself; undefined: none. */
  selectProtocol?: (offered: readonly string[]) => string | undefined
  /** A larger message closes the WebSocket with 1009. Default 1,048,576. */
  maxMessageBytes?: number
  /**
   * Default false: it costs about 300 KB a WebSocket, and each message is compressed for itself. What is
   * sent on the native carrier is not compressed, as RFC 7692 allows.
   */
  perMessageDeflate?: boolean | DeflateOptions
  tags?: readonly string[]
}

export interface CheckedWebSocketOptions {
  readonly selectProtocol: (offered: readonly string[]) => string | undefined
  readonly maxMessageBytes: number
  readonly deflate: DeflateOptions | undefined
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkWebSocketOptions(options: WebSocketOptions): CheckedWebSocketOptions {
  requireKnown('options', options, [
    'protocols',
    'selectProtocol',
    'maxMessageBytes',
    'perMessageDeflate',
    'tags',
    'onSlow',
    'onGap',
  ])
  const { protocols, selectProtocol, maxMessageBytes, perMessageDeflate = false } = options
  if (protocols !== undefined && !isListOfTokens(protocols)) {
    throw invalid('protocols must be an array of subprotocol names')
  }
  if (selectProtocol !== undefined && typeof selectProtocol !== 'function') {
    throw invalid('selectProtocol must be a function')
  }
  if (protocols && selectProtocol) throw invalid('give protocols or selectProtocol, not both')
  const known = new Set(protocols)
  return {
    selectProtocol: selectProtocol ?? ((offered) => offered.find((name) => known.has(name))),
    maxMessageBytes: requireInteger('maxMessageBytes', maxMessageBytes ?? 2 ** 20, 1, 2 ** 30),
    deflate: checkDeflate(perMessageDeflate),
  }
}

function checkDeflate(value: unknown): DeflateOptions | undefined {
  if (value === false) return undefined
  if (value === true) return {}
  const ranges: Record<keyof DeflateOptions, readonly [number, number] | undefined> = {
    threshold: [0, 2 ** 30],
    serverNoContextTakeover: undefined,
    clientNoContextTakeover: undefined,
    serverMaxWindowBits: [9, 15],
    clientMaxWindowBits: [9, 15],
    level: [0, 9],
    memLevel: [1, 9],
  }
  requireKnown('perMessageDeflate', value, Object.keys(ranges))
  for (const [name, given] of Object.entries(value as object) as [string, unknown][]) {
    const range = ranges[name as keyof DeflateOptions]
    if (given === undefined) continue
    if (range) requireInteger(name, given, ...range)
    else if (typeof given !== 'boolean') throw invalid(`${name} must be a boolean`)
  }
  return value as DeflateOptions
}

function isListOfTokens(value: unknown): boolean {
  const isToken = (name: unknown): boolean =>
    typeof name === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
  return Array.isArray(value) && value.every(isToken)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', message)
}
