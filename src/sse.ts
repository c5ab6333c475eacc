import { HoldfastError } from './errors.js'
import type { HeldStream } from './held-stream.js'
import { lastEventIdOf } from './http2/last-event-id.js'
import { noRequest, resolveTarget, type StreamTarget } from './http2/target.js'
import { native } from './native.js'
import { requireInteger, requireKnown } from './options.js'
import type { Outbox } from './outbox.js'
import { checkFields, type Fields } from './request/fields.js'
import type { SlowReaderOptions } from './slow-policy.js'
import type { StreamHolder } from './stream-holder.js'

export interface SseOptions extends SlowReaderOptions {
  tags?: readonly string[]
  /** Further response headers. */
  headers?: Readonly<Record<string, string>>
  /**
   * Send a comment whenever nothing was sent for so long, in ms, so that no proxy takes the stream for
   * dead. It is no message, but it is activity: with it, `idleTimeoutMs` closes nothing. Default 0: none.
   */
  heartbeatMs?: number
  /** How long the client is to wait before it connects again, in ms. Default: what it thinks best. */
  retryMs?: number
  /**
   * The id of the last event the client has received. Default: its Last-Event-ID header. For clients
   * that can only say it in the URL, and for streams of a node:http2 server that was not given to
   * `accept`, whose headers only the application knows.
   */
  lastEventId?: string | undefined
}

/** Answers and proxies must neither keep nor transform the stream (RFC 9111, section 5.2). */
const sseHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
}

const kNames = [
  'tags',
  'headers',
  'onSlow',
  'onGap',
  'heartbeatMs',
  'retryMs',
  'lastEventId',
] as const satisfies readonly (keyof SseOptions)[]
const kDay = 86_400_000

/** Answers the request as an event stream and takes it under management. */
export function openSse(
  holder: StreamHolder,
  outbox: Outbox,
  target: StreamTarget,
  options: SseOptions,
): HeldStream {
  requireKnown('options', options, kNames)
  const headers = sseResponseHeaders(options.headers)
  const heartbeatMs = requireInteger('heartbeatMs', options.heartbeatMs ?? 0, 0, kDay)
  const { retryMs } = options
  if (retryMs !== undefined) requireInteger('retryMs', retryMs, 0, 2 ** 31 - 1)
  const given: unknown = options.lastEventId
  if (given !== undefined && typeof given !== 'string') {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', 'lastEventId must be a string')
  }
  const resolved = resolveTarget(target)
  if (resolved.headersSent) throw new HoldfastError('ERR_HOLDFAST_HEADERS_SENT')
  const { carrier } = resolved
  if (!carrier.respond) throw noRequest()
  const lastEventId = given ?? lastEventIdOf(target)
  const held = holder.hold(resolved, 'sse', options)
  held.lastEventId = lastEventId
  // A listener that is told of it may have closed it.
  if (!held.live || held.reason) return held
  carrier.respond(resolved.raw, headers)
  if (retryMs !== undefined) outbox.sendFields(held, { retry: retryMs })
  if (heartbeatMs > 0) native.setHeartbeat(held.uid, heartbeatMs)
  return held
}

/** Fields of an answer, given as an option. @throws ERR_HOLDFAST_INVALID_OPTION */
function sseResponseHeaders(headers: Readonly<Record<string, string>> = {}): Fields {
  try {
    const fields = { ...sseHeaders, ...checkFields(headers) }
    const list = Object.entries(fields).find(([, value]) => typeof value !== 'string')
    if (!list) return fields
    throw new Error(`not one value: ${list[0]}`)
  } catch (error) {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', (error as Error).message)
  }
}
