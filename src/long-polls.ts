import { isUtf8 } from 'node:buffer'
import { HoldfastError } from './errors.js'
import type { HeldStream } from './held-stream.js'
import { http1Carrier } from './http2/carriers.js'
import { http1Requests } from './http2/http1-requests.js'
import { noRequest, resolveTarget, type ResolvedTarget, type StreamTarget } from './http2/target.js'
import type { StreamManager } from './manager.js'
import { scratch } from './memory.js'
import { native } from './native.js'
import { requireInteger, requireKnown } from './options.js'
import type { Outbox } from './outbox.js'
import type { RequestCarrier } from './request/request-carrier.js'
import { kGapEvent } from './resume.js'
import type { StreamHolder } from './stream-holder.js'
import { checkId } from './topic-options.js'
import { encodeTopic } from './topics.js'
import type { ManagedStream } from './stream.js'

export interface LongPollOptions {
  /** A topic that `setTopic` keeps. */
  topic: string
  /** How long the request is held when there is nothing to tell, in ms. Default 30,000. */
  timeoutMs?: number
  /**
   * The `holdfast-cursor` of the answer before, as the client gives it back. Undefined or empty: the
   * client begins, and is told what is published from now on.
   */
  cursor?: string | undefined
  tags?: readonly string[]
}

/** One message in the answer, a JSON array of them. */
export interface PolledMessage {
  /** A mark that messages are missing, `event: 'gap'`, has none. */
  readonly id?: string
  readonly event?: string
  readonly data?: string
  /** Instead of `data`, where that is no UTF-8. */
  readonly base64?: string
}

interface Poll {
  readonly held: HeldStream
  readonly carrier: RequestCarrier
  readonly topic: string
  cursor: string
  timer: NodeJS.Timeout | undefined
}

/** What there is behind a cursor. */
interface News {
  readonly ring: number
  readonly cursor: string
  /** Undefined: nothing yet. */
  readonly body: string | undefined
}

const kNames = ['topic', 'timeoutMs', 'cursor', 'tags'] as const
const kMaxTimeoutMs = 3_600_000
const kCursorField = 'holdfast-cursor'
/** Answers are never kept by anybody on the way (RFC 9111, section 5.2.2.5). */
const kUncached = { 'cache-control': 'no-store' }

/** Requests of this thread that wait for the next message of a topic. */
export class LongPolls {
  readonly #manager: StreamManager
  readonly #holder: StreamHolder
  readonly #outbox: Outbox
  readonly #maxBytes: number
  readonly #waiting = new Map<number, Set<Poll>>()

  constructor(manager: StreamManager, holder: StreamHolder, outbox: Outbox, maxBytes: number) {
    this.#manager = manager
    this.#holder = holder
    this.#outbox = outbox
    this.#maxBytes = maxBytes
  }

  hold(target: StreamTarget, options: LongPollOptions): ManagedStream {
    requireKnown('options', options, kNames)
    const { topic, tags } = options
    const timeoutMs = requireInteger('timeoutMs', options.timeoutMs ?? 30_000, 0, kMaxTimeoutMs)
    const cursor = checkId('cursor', options.cursor)
    if (!native.keepsTopic(encodeTopic(topic))) throw notKept()
    const resolved = resolveTarget(target)
    if (resolved.headersSent) throw new HoldfastError('ERR_HOLDFAST_HEADERS_SENT')
    const carrier = requestCarrierOf(resolved)
    const held = this.#holder.hold(resolved, 'raw', { tags })
    const stream = this.#manager.wrap(held)
    const poll: Poll = { held, carrier, topic, cursor, timer: undefined }
    const news = this.#read(poll)
    if (!news) {
      this.#answer(poll, 204) // given up by another thread just now
      return stream
    }
    poll.cursor = news.cursor
    if (news.body !== undefined) {
      this.#answer(poll, 200, news.body)
      return stream
    }
    const waiting = this.#waiting.get(news.ring) ?? new Set()
    this.#waiting.set(news.ring, waiting.add(poll))
    const forget = (): void => {
      clearTimeout(poll.timer)
      if (waiting.delete(poll) && waiting.size === 0) this.#waiting.delete(news.ring)
    }
    poll.timer = setTimeout(() => {
      forget()
      this.#answer(poll, 204)
    }, timeoutMs).unref()
    stream.once('close', forget)
    return stream
  }

  /** The ring has a message that was waited for, or was given up. */
  onNews(ring: number): void {
    const read = new Map<string, News | undefined>()
    for (const poll of this.#waiting.get(ring) ?? []) {
      // Most wait behind the same message.
      if (!read.has(poll.cursor)) read.set(poll.cursor, this.#read(poll))
      const news = read.get(poll.cursor)
      if (news && news.body === undefined) continue
      clearTimeout(poll.timer)
      this.#waiting.get(ring)?.delete(poll)
      poll.cursor = news?.cursor ?? poll.cursor
      this.#answer(poll, news ? 200 : 204, news?.body)
    }
    if (this.#waiting.get(ring)?.size === 0) this.#waiting.delete(ring)
  }

  #read({ topic, cursor }: Poll): News | undefined {
    // The application may have closed it just now, in a listener.
    if (!this.#manager.isOpen) return undefined
    const topicBytes = encodeTopic(topic)
    const cursorBytes = scratch.write(cursor, topicBytes)
    const list = native.readTopic(topicBytes, cursorBytes, this.#maxBytes)
    if (!list) return undefined
    const [ring, gap, read, ...texts] = list
    const messages: PolledMessage[] = gap ? [{ event: kGapEvent, data: topic }] : []
    for (let i = 0; i < texts.length; i += 3) {
      messages.push(readMessage(texts[i] as string, texts[i + 1] as string, texts[i + 2] as Buffer))
    }
    const body = messages.length > 0 ? JSON.stringify(messages) : undefined
    return { ring, cursor: read, body }
  }

  #answer({ held, carrier, cursor }: Poll, status: 200 | 204, body?: string): void {
    const { raw } = held
    if (!held.live || carrier.closed(raw)) return
    // Else somebody has sent to it by uid, which was its answer.
    if (!carrier.headersSent(raw)) {
      const endStream = body === undefined || carrier.isHead(raw)
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const fields = { ...kUncached, ...type, [kCursorField]: cursor }
      carrier.head(raw, { status, fields, endStream, trailers: false })
      if (body !== undefined && !endStream) this.#outbox.sendAhead(held, body)
    }
    if (!carrier.ended(raw)) carrier.end(raw)
    this.#holder.markClosing(held, 'end')
  }
}

function readMessage(id: string, event: string, data: Buffer): PolledMessage {
  return {
    id,
    ...(event === '' ? {} : { event }),
    ...(isUtf8(data) ? { data: data.toString() } : { base64: data.toString('base64') }),
  }
}

/** @throws ERR_HOLDFAST_INVALID_STREAM */
function requestCarrierOf({ carrier }: ResolvedTarget): RequestCarrier {
  if (carrier === http1Carrier) return http1Requests
  if ('head' in carrier) return carrier as RequestCarrier
  throw noRequest()
}

function notKept(): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', 'the topic keeps nothing: setTopic')
}
