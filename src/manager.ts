import type { IncomingMessage } from 'node:http'
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2'
import type { Server } from 'node:net'
import { carriers, type Carriers } from './carriers.js'
import { LazyEmitter } from './emitter.js'
import { errorOfStatus, HoldfastError, status } from './errors.js'
import { listStreams, type StreamFilter } from './filter.js'
import { markGap } from './gap-mark.js'
import type { HeldStream } from './held-stream.js'
import { NodeHolding } from './http2/node-holding.js'
import { resolveTarget, type StreamTarget } from './http2/target.js'
import type { WebSocketTarget } from './http2/websocket-target.js'
import { Inbox } from './inbox.js'
import { addressesOf, checkListenOptions, type Listening, type ListenOptions } from './listen.js'
import { arena, frame, frameNumbers, local, scratch } from './memory.js'
import { LongPolls, type LongPollOptions } from './long-polls.js'
import { native } from './native.js'
import {
  checkOptions,
  requireKnown,
  requireSame,
  optionRules,
  type ManagerOptions,
} from './options.js'
import type { SendOptions } from './message.js'
import { Outbox, type PublishOptions, type SendResult } from './outbox.js'
import { failRequest } from './request/dispatch.js'
import type { HeaderFields } from './request/fields.js'
import { Reactors } from './reactor/reactors.js'
import type { RequestCarrier } from './request/request-carrier.js'
import { RequestStream } from './request/request-stream.js'
import type { RequestTaker } from './request/request-taker.js'
import { Serving } from './serving.js'
import { resume } from './resume.js'
import { openSse, type SseOptions } from './sse.js'
import { setStaticAnswer } from './static-answers.js'
import type { StreamManagerEvents } from './manager-events.js'
import { readStats, readWorkers, type Stats, type WorkerInfo } from './stats.js'
import { type CloseOptions, ManagedStream } from './stream.js'
import { checkCloseOptions, checkRegisterOptions, type RegisterOptions } from './stream-options.js'
import { StreamHolder } from './stream-holder.js'
import { readInfo, type StreamInfo, type StreamKind } from './stream-info.js'
import { StreamTable } from './stream-table.js'
import { StreamWrites } from './stream-writes.js'
import { checkId, setTopic, type SubscribeOptions, type TopicOptions } from './topic-options.js'
import { encodeTopic, readSubscribers, readTopics, type TopicInfo } from './topics.js'
import { invalidUid, type StreamUid } from './uid.js'
import { requireCloseDetail } from './websocket/close-codes.js'
import { openWebSocket, wrapWebSocket } from './websocket/open.js'
import type { WebSocketOptions } from './websocket/options.js'
import type { WebSocketStream } from './websocket/websocket-stream.js'

const kManager = Symbol.for('holdfast.manager')
type Shared = { [kManager]?: StreamManager }

/**
 * The streams of the process, seen from one thread. Every thread that opens it becomes a worker: it
 * can hold streams, and reach those of all the others. Callbacks run on the thread that opened it.
 */
export class StreamManager extends LazyEmitter<StreamManagerEvents> {
  /** This thread's number, the first field of its streams' uids. */
  readonly worker: number
  readonly #table = new StreamTable()
  readonly #outbox: Outbox
  readonly #holder: StreamHolder
  readonly #serving: Serving
  readonly #polls: LongPolls
  #open = true
  #closed: Promise<void> | undefined

  /**
   * This thread's manager, made if there is none. The first `open` of the process sets the options;
   * one that gives none joins.
   * @throws ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_OPTIONS_MISMATCH, ERR_HOLDFAST_EXHAUSTED
   */
  static open(options: ManagerOptions = {}): StreamManager {
    const checked = checkOptions(options)
    const shared = native as Shared
    const existing = shared[kManager]
    if (!existing) return (shared[kManager] = new StreamManager(checked.values, checked.explicit))
    // It is gone when its close() has resolved.
    if (!existing.#open) throw new HoldfastError('ERR_HOLDFAST_CLOSED', 'the manager is closing')
    requireSame(options, existing.#inForce)
    return existing
  }

  /** What can carry streams here, and if not, why. */
  static carriers(): Carriers {
    return carriers()
  }

  readonly #inForce: readonly number[]

  private constructor(values: Float64Array, explicit: number) {
    super()
    const writes = new StreamWrites(this.#table, {
      slow: (held) => this.#holder.report(held, 'slow'),
      drain: (held) => this.#holder.report(held, 'drain'),
      gap: (held) => this.#tellOfGap(held),
    })
    this.#outbox = new Outbox(this.#table, writes)
    const reactors = new Reactors(this, this.#taker, () => this.#outbox.flushSoon(), {
      slow: (held) => this.#holder.report(held, held.slow ? 'slow' : 'drain'),
      gap: (held) => this.#tellOfGap(held),
    })
    const inbox = new Inbox(this.#table, writes, reactors.inbox, {
      close: (handle, code, reason, text) =>
        this.#holder.node.closeByHandle(handle, code, text, reason),
      settled: (low, high, outcome) => this.#outbox.waiting.end(low, high, outcome),
      gap: (handle) => this.#tellOfGap(this.#table.get(handle)),
      end: (handle) => this.#holder.node.finishClosing(handle),
      expired: (handle, expiry) => this.#holder.node.expire(handle, expiry),
      hangup: (index) => this.#holder.node.hangup(index),
      workerExit: (worker, streams) => this.emit('workerExit', { worker, streams }),
      connection: (fd) => this.#serving.takeConnection(fd),
      topicNews: (ring) => this.#polls.onNews(ring),
    })
    const worker = native.open(values, explicit, inbox.onBatch, arena, scratch, local, frame)
    if (worker < 0) throw errorOfStatus(worker)
    this.worker = worker
    this.#inForce = optionRules.map((_, index) => frameNumbers[index] ?? 0)
    const option = (name: keyof ManagerOptions): number =>
      this.#inForce[optionRules.findIndex((rule) => rule.name === name)] ?? 0
    writes.configure(option('sendBudgetBytes'))
    const hasReactors = option('carrier') > 0 && carriers().native.available
    this.#serving = new Serving(this.#taker, hasReactors)
    const node = new NodeHolding(this, this.#table, {
      pingIntervalMs: option('pingIntervalMs'),
      pingTimeoutMs: option('pingTimeoutMs'),
      reportActivity: option('idleTimeoutMs') > 0,
    })
    this.#holder = new StreamHolder(this, node, reactors.holding)
    this.#polls = new LongPolls(this, this.#holder, this.#outbox, option('sendBudgetBytes'))
  }

  /**
   * Takes a live HTTP/2 stream, HTTP response or Duplex under management.
   * @throws ERR_HOLDFAST_INVALID_STREAM, ERR_HOLDFAST_STREAM_DEAD, ERR_HOLDFAST_ALREADY_REGISTERED,
   *   ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_WORKER_LIMIT, ERR_HOLDFAST_TOTAL_LIMIT, ERR_HOLDFAST_CLOSED
   */
  register(
    target: RequestStream | ServerHttp2Stream | Http2ServerResponse,
    options?: RegisterOptions,
  ): RequestStream
  register(target: StreamTarget, options?: RegisterOptions): ManagedStream
  register(target: StreamTarget, options: RegisterOptions = {}): ManagedStream {
    this.#requireOpen()
    const kind = checkRegisterOptions(options)
    return this.wrap(this.#holder.hold(resolveTarget(target), kind, options))
  }

  /**
   * Answers the request as an event stream (200, text/event-stream) and registers it.
   * @throws as `register`, and ERR_HOLDFAST_HEADERS_SENT; the request is then unanswered
   */
  sse(target: StreamTarget, options: SseOptions = {}): ManagedStream {
    this.#requireOpen()
    return this.wrap(openSse(this.#holder, this.#outbox, target, options))
  }

  /**
   * Answers a request for a WebSocket and registers it: an extended CONNECT of HTTP/2, with its headers
   * from `server.on('stream')` or as the request of `server.on('connect')`, or an HTTP/1.1 Upgrade, with
   * the `head` from `server.on('upgrade')`. Whether its origin may is for the application to say before.
   *
   * Undefined if there is none: the request is no valid handshake and was refused (400, 426, 501), or
   * its peer has gone. No peer can make it throw.
   * @throws as `register`, and ERR_HOLDFAST_HEADERS_SENT, ERR_HOLDFAST_INVALID_ARGUMENT; the request
   *   is then unanswered
   */
  websocket(
    stream: ServerHttp2Stream | RequestStream,
    headers: IncomingHttpHeaders,
    options?: WebSocketOptions,
  ): WebSocketStream | undefined
  websocket(
    request: IncomingMessage | Http2ServerRequest,
    head?: Uint8Array,
    options?: WebSocketOptions,
  ): WebSocketStream | undefined
  websocket(
    target: WebSocketTarget,
    second: unknown,
    options: WebSocketOptions = {},
  ): WebSocketStream | undefined {
    this.#requireOpen()
    const held = openWebSocket(this.#holder, target, second, options)
    return held && (this.wrap(held) as WebSocketStream)
  }

  /** What is known of a live stream of any thread. @throws ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_CLOSED */
  find(uid: StreamUid): StreamInfo | undefined {
    this.#requireUid(uid)
    return this.#lives(native.find(uid, true), uid) ? readInfo(0) : undefined
  }

  /** Whether it lives, on any thread. @throws ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_CLOSED */
  has(uid: StreamUid): boolean {
    this.#requireUid(uid)
    return this.#lives(native.has(uid), uid)
  }

  /** The stream, on the thread that handles it; undefined on others. @throws ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_CLOSED */
  get(uid: StreamUid): ManagedStream | undefined {
    this.#requireUid(uid)
    const handle = native.handleOf(uid)
    if (handle < 0) this.#lives(handle, uid)
    const held = handle < 0 ? this.#holder.reactor.get(uid) : this.#table.get(handle)
    return held && this.wrap(held)
  }

  /**
   * Sends a message to a stream of any thread, in order with what this thread sent it before. A string
   * goes as UTF-8; in an event stream `data` may have any number of lines.
   * @throws ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED
   */
  send(uid: StreamUid, data: string | Uint8Array, options?: SendOptions): SendResult {
    if (!this.#open) throw new HoldfastError('ERR_HOLDFAST_CLOSED')
    return this.#outbox.send(uid, data, options)
  }

  /**
   * The same, and resolves when the stream's socket took the message. Rejects when it never will:
   * @throws ERR_HOLDFAST_GONE, ERR_HOLDFAST_FULL, ERR_HOLDFAST_DROPPED, ERR_HOLDFAST_CLOSED,
   *   ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_INVALID_ARGUMENT
   */
  async sendAndWait(
    uid: StreamUid,
    data: string | Uint8Array,
    options?: SendOptions,
  ): Promise<void> {
    this.#requireOpen()
    return this.#outbox.sendAndWait(uid, data, options)
  }

  /**
   * Sends a message to every member of a topic, on all threads, in order with what this thread sent
   * before. It is encoded once for each kind of stream, and crosses to each thread once. Returns how
   * many members there are.
   * @throws ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED
   */
  publish(topic: string, data: string | Uint8Array, options?: PublishOptions): number {
    this.#requireOpen()
    return this.#outbox.publish(topic, data, options)
  }

  /**
   * The same to every live stream that passes the filter; this thread looks them up.
   * @throws ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED
   */
  broadcast(filter: StreamFilter, data: string | Uint8Array, options?: SendOptions): number {
    this.#requireOpen()
    return this.#outbox.broadcast(filter, data, options)
  }

  /**
   * Keeps the last messages of a topic in native memory, for the whole process, whether it has members
   * or not. They get ids of their own; a client that comes back says the last one it has had, and
   * `stream.subscribe(topic, { after })` or `longPoll` go on from there, on any thread.
   * @throws ERR_HOLDFAST_REPLAY_LIMIT, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_INVALID_OPTION,
   *   ERR_HOLDFAST_CLOSED
   */
  setTopic(topic: string, options: TopicOptions): void {
    this.#requireOpen()
    setTopic(topic, options)
  }

  /**
   * Answers a request with the messages of a kept topic behind `cursor`, at once if there are any;
   * otherwise holds it, as a registered stream, until the next one comes, or answers 204: at the
   * time-out, or when the topic is kept no more.
   * The answer is a JSON array of {@link PolledMessage}; its header `holdfast-cursor` says where the next
   * request goes on.
   * @throws as `sse`, and ERR_HOLDFAST_INVALID_ARGUMENT if the topic is not kept; the request is then
   *   unanswered
   */
  longPoll(target: StreamTarget, options: LongPollOptions): ManagedStream {
    this.#requireOpen()
    return this.#polls.hold(target, options)
  }

  /** The topics that have members, in no particular order. @throws ERR_HOLDFAST_CLOSED */
  topics(): TopicInfo[] {
    this.#requireOpen()
    return readTopics()
  }

  /** The members of a topic. @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED */
  subscribers(topic: string): StreamUid[] {
    this.#requireOpen()
    return readSubscribers(topic)
  }

  /**
   * Closes a stream of any thread, behind what this thread sent it before. False if it is gone.
   * @throws ERR_HOLDFAST_INVALID_UID, ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED
   */
  close(uid: StreamUid, options?: Partial<CloseOptions>): boolean
  /**
   * Closes the manager of this thread: it accepts no more, its streams end, its number is free. Other
   * threads go on. Resolves when the native side has let go.
   */
  close(): Promise<void>
  close(uid?: StreamUid, options: Partial<CloseOptions> = {}): boolean | Promise<void> {
    if (arguments.length === 0) return this.#closeManager()
    this.#requireUid(uid)
    const { code, reason } = checkCloseOptions(options)
    if ((code !== 0 || reason !== '') && this.#kindOf(uid) === 'websocket') {
      requireCloseDetail(code, reason)
    }
    const handle = native.handleOf(uid)
    if (handle >= 0 && !native.closesByMail(uid)) {
      return this.#holder.node.closeByHandle(handle, code, reason)
    }
    this.#lives(handle, uid)
    if (!this.#holder.reactor.noteClose(uid, { code, text: reason })) return false
    return this.#outbox.requestClose(uid, code, reason)
  }

  /** Lists live streams of all threads. @throws ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_CLOSED */
  streams(filter: StreamFilter = {}): IterableIterator<StreamInfo> {
    this.#requireOpen()
    return listStreams(filter)
  }

  /** Counters of the process. @throws ERR_HOLDFAST_CLOSED */
  stats(): Stats {
    this.#requireOpen()
    return readStats()
  }

  /** The live workers of the process. @throws ERR_HOLDFAST_CLOSED */
  workers(): WorkerInfo[] {
    this.#requireOpen()
    return readWorkers()
  }

  /**
   * Opens a port for the whole process: a thread of its own accepts. While a thread listens to
   * `stream`, HTTP/2 goes to the least loaded reactor; all else goes to the least loaded thread that
   * accepts. Until a thread does either, connections wait; what is not HTTP/2 is closed where threads
   * listen to `stream` and none accepts. Keeps this thread alive.
   * @throws ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_TLS, ERR_HOLDFAST_LISTEN (its `cause` has the
   *   system's code)
   */
  async listen(options: ListenOptions = {}): Promise<Listening> {
    this.#requireOpen()
    const checked = checkListenOptions(options)
    const addresses = await addressesOf(checked)
    this.#requireOpen()
    return this.#serving.listen(checked, addresses)
  }

  /**
   * From now on this thread's share of the connections that no reactor takes goes to `server`: any
   * node:http2 (secure or not), https or http server, as if it had accepted them. Call it before the
   * first `on('stream')`. Ends with `server.close()` or `close()`. Keeps this thread alive.
   * @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_ALREADY_ACCEPTING, ERR_HOLDFAST_CLOSED
   */
  accept(server: Server): void {
    this.#requireOpen()
    this.#serving.accept(server)
    this.#holder.node.adoptSessionsOf(server)
  }

  /**
   * Answers every GET and HEAD of that path, whatever its query, with the same fields and payload, of
   * at most 1 MiB, in place of the listeners to `stream`, on threads that have any. On the native
   * carrier no Node thread is asked. `:status` is 200 if it is not among the headers;
   * `content-length` is set. Kept for the process, also when managers close, until
   * `respondStatic(path, null)`.
   * @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_CLOSED
   */
  respondStatic(path: string, headers: HeaderFields | null, payload?: string | Uint8Array): void {
    this.#requireOpen()
    setStaticAnswer(path, headers, payload)
  }

  /** @internal */
  get isOpen(): boolean {
    return this.#open
  }

  /** @internal The stream's object, made if nobody has one. */
  wrap(held: HeldStream): ManagedStream {
    const existing = held.existingWrapper()
    if (existing) return existing
    const wrapper =
      wrapWebSocket(this, held) ??
      ('attach' in held.carrier
        ? new RequestStream(this, held.carrier as RequestCarrier, held.raw, held)
        : new ManagedStream(this, held))
    held.wrapper = new WeakRef(wrapper)
    return wrapper
  }

  /** @internal Registers a request when its user first needs more of it than its answer. */
  holdRequest(stream: ManagedStream): HeldStream {
    this.#requireOpen()
    return this.#holder.hold(resolveTarget(stream), 'raw')
  }

  /** @internal What `find` tells, without being counted as one. */
  infoOf(held: HeldStream): StreamInfo | undefined {
    this.#requireOpen()
    return native.find(held.uid, false) === status.ok ? readInfo(0) : undefined
  }

  /** @internal */
  detach(held: HeldStream): void {
    this.#requireOpen()
    this.#holder.detach(held)
  }

  /** @internal */
  subscribe(held: HeldStream, topic: string, options: SubscribeOptions = {}): boolean {
    this.#requireOpen()
    requireKnown('options', options, ['after'])
    const after = checkId('after', options.after)
    if (after === '') return native.subscribe(held.uid, encodeTopic(topic)) === 1
    return resume(held, topic, after, this.#outbox, () => this.#open)
  }

  /** @internal */
  unsubscribe(held: HeldStream, topic: string): boolean {
    this.#requireOpen()
    return native.unsubscribe(held.uid, encodeTopic(topic)) === 1
  }

  /** @internal */
  topicsOf(held: HeldStream): string[] {
    this.#requireOpen()
    return native.topicsOf(held.uid)
  }

  protected override onListener(event: keyof StreamManagerEvents): void {
    if (event === 'stream') this.#serving.takeRequests()
  }

  protected override onListenerGone(): void {
    if (this.listenerCount('stream') === 0) this.#serving.leaveRequests()
  }

  /** Who takes the requests of this thread's server, and of reactors. */
  readonly #taker: RequestTaker = {
    wanted: () => this.#open && this.listenerCount('stream') > 0,
    take: (carrier, raw, headers) => {
      const stream = new RequestStream(this, carrier, raw, undefined, headers)
      this.callEach('stream', (error) => failRequest(stream, error), stream, headers)
    },
  }

  #tellOfGap(held: HeldStream | undefined): boolean {
    return held?.live === true && markGap(held, this.#outbox, () => this.#open, true)
  }

  #closeManager(): Promise<void> {
    // A listener of what ends here may close the manager as well.
    if (this.#closed) return this.#closed
    let resolve = (): void => {}
    this.#closed = new Promise((resolved) => (resolve = resolved))
    this.#serving.close()
    this.#holder.closeAll()
    this.#open = false
    this.#outbox.waiting.abandon()
    native.leave()
    // The native side lets go at the end of the batch that may be running now.
    setImmediate(() => {
      delete (native as Shared)[kManager]
      resolve()
    })
    return this.#closed
  }

  #requireOpen(): void {
    if (!this.#open) throw new HoldfastError('ERR_HOLDFAST_CLOSED')
  }

  #requireUid(uid: unknown): asserts uid is StreamUid {
    this.#requireOpen()
    if (typeof uid !== 'bigint') throw invalidUid(uid)
  }

  #kindOf(uid: StreamUid): StreamKind | undefined {
    return native.find(uid, false) === status.ok ? readInfo(0).kind : undefined
  }

  #lives(result: number, uid: StreamUid): boolean {
    if (result === status.invalid) throw invalidUid(uid)
    return result >= 0
  }
}
