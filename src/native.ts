import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from './errors.js'
import { checkRuntime } from './platform.js'
import type { CheckedTls } from './tls.js'
import type { StreamUid } from './uid.js'

/**
 * What a message is, behind whom it is for: bytes of its texts in the scratch memory, one behind the other,
 * and data that does not fit there.
 */
type MessageArguments = [
  eventBytes: number,
  idBytes: number,
  keyBytes: number,
  dataBytes: number,
  retryMs: number,
  binary: boolean,
  large: Uint8Array | undefined,
]

/**
 * The addon, one to one with native/binding. Where a call answers a number below zero it is a status
 * (errors.ts) unless said otherwise. Texts of hot calls travel in memory both sides see.
 */
export interface NativeBinding {
  open(
    values: Float64Array,
    explicit: number,
    onBatch: (records: number, large: Buffer | undefined) => void,
    arena: Uint8Array,
    scratch: Uint8Array,
    local: Uint8Array,
    frame: Uint8Array,
  ): number
  leave(): void
  setRef(ref: boolean): void
  setAccepting(accepting: boolean): void
  settle(delivered: number, undeliverable: number): void

  openSocket(address: string, port: number, placed: boolean): number
  closeSocket(index: number, placed: boolean): void
  watchSocket(index: number, fd: number): number
  forgetSocket(fd: number): number
  socketIds(index: number): number[]

  create(
    socket: number,
    kind: number,
    handle: number,
    tagBytes: number,
    policy: number,
    marksGaps: boolean,
  ): StreamUid | number
  destroy(uid: StreamUid, reason: number): boolean
  detach(uid: StreamUid): boolean
  /** With `behind`: whether something held back goes first, of whose end the inbox is told. */
  markClosing(uid: StreamUid, behind: boolean): boolean
  stopTaking(uid: StreamUid): void
  /** Of a live stream of this thread: whether `requestClose` is to close it, behind what this thread
   * has said by mail. */
  closesByMail(uid: StreamUid): boolean
  touch(uid: StreamUid): void
  unsend(uid: StreamUid, bytes: number): void
  release(uid: StreamUid, bytes: number): void
  taken(handle: number, bytes: number): number
  /** The same of so many pairs of handle and bytes, as far as native/binding/js_streams.cc says. True if there is more to do. */
  takenMany(pairs: Uint32Array, count: number): boolean
  setSlow(uid: StreamUid, slow: boolean): void
  setHeartbeat(uid: StreamUid, intervalMs: number): void

  send(uid: StreamUid, ...message: MessageArguments): number
  /** As `send`; when it is queued, the frame's second number is that of the ticket. */
  sendAwaited(uid: StreamUid, ...message: MessageArguments): number
  settleAwaited(low: number, high: number, outcome: number): void
  /** To a stream of this thread, before all that waits; the size of what is to be written. */
  sendAhead(uid: StreamUid, ...message: MessageArguments): number
  /** The same for binary data alone, in the scratch memory. */
  sendBytes(uid: StreamUid, dataBytes: number): number
  /** The same for data alone, a string that takes less than the scratch memory. */
  sendText(uid: StreamUid, text: string): number
  /** The same with the text of the last `sendText`. */
  sendTextAgain(uid: StreamUid): number
  takeLocal(): Buffer
  requestClose(uid: StreamUid, code: number, reasonBytes: number): number
  flush(): void

  subscribe(uid: StreamUid, topicBytes: number): number
  unsubscribe(uid: StreamUid, topicBytes: number): number
  keepTopic(topicBytes: number, events: number, bytes: number): number
  forgetTopic(topicBytes: number): boolean
  keepsTopic(topicBytes: number): boolean
  /**
   * A string: a gap is to be told first, and the id of what is before the rest; else whether it is a
   * member now, or the bytes that are reserved and to be written to it then.
   */
  subscribeAfter(
    uid: StreamUid,
    topicBytes: number,
    afterBytes: number,
    gapTold: boolean,
  ): number | string | Buffer
  /**
   * The number of the ring, whether messages are missing, the id of the last that is in the list, then id,
   * event and data of each. If there is nothing to tell, a record brings word of the next message.
   */
  readTopic(
    topicBytes: number,
    afterBytes: number,
    maxBytes: number,
  ): [ring: number, gap: boolean, cursor: string, ...messages: (string | Buffer)[]] | undefined
  /** Topics, messages, bytes. */
  replayUsage(): [number, number, number]
  /** The frame's first word tells whether `takeOwn` has something; so do the next two. */
  publish(topicBytes: number, except: StreamUid | undefined, ...message: MessageArguments): number
  /** The same for data alone, a string that takes less than the scratch memory. */
  publishText(topic: string, text: string): number
  broadcast(enumeration: NativeEnumeration, ...message: MessageArguments): number
  /** Handles and bytes in turn, for each kind of own stream that the last of these goes to. */
  takeOwn(): (Uint32Array | Buffer)[]
  settleOwn(delivered: number, undeliverable: number): void
  /** Names and numbers of members in turn. */
  topics(): (string | number)[]
  subscribers(topicBytes: number): BigUint64Array
  topicsOf(uid: StreamUid): string[]

  find(uid: StreamUid, counted: boolean): number
  has(uid: StreamUid): number
  handleOf(uid: StreamUid): number
  enumerate(
    kind: number,
    worker: number,
    detached: number,
    address: string,
    idleForMs: number,
    tag: string,
  ): NativeEnumeration | number
  enumerateNext(enumeration: NativeEnumeration): number
  totals(): Float64Array
  workers(): Float64Array
  /** Uids and bytes in turn. */
  slowest(count: number): BigUint64Array
  queuedBytes(): number

  /** What keeps the native carrier from running; empty if nothing does. */
  carriers(): string
  carrierOfTls(): string
  /** Whether this thread takes requests of reactors. */
  setTakesRequests(takes: boolean): void
  /** Without fields, the path has no answer any more. */
  setStaticAnswer(path: string, fields?: Uint8Array, body?: Uint8Array): void
  /** Counted, if there is one: fields and body. */
  staticAnswer(target: string): [Buffer, Buffer?] | undefined
  /**
   * A request that lives on a reactor is known by reactor, slot and generation. What is asked of it is
   * packed for that thread and leaves with `flush`; asked of one that is over, it does nothing. Fields
   * lie in the scratch memory or, where they do not fit, in `large`, as `name`, NUL, `value`, NUL in
   * Latin-1. Flags of a head: kEndsStream, kInterim.
   */
  requestHead(
    reactor: number,
    slot: number,
    generation: number,
    fieldBytes: number,
    flags: number,
    large: Uint8Array | undefined,
  ): void
  /** When `reported`, a record tells when so many bytes have left. */
  requestWrite(
    reactor: number,
    slot: number,
    generation: number,
    bytes: Uint8Array,
    reported: boolean,
  ): void
  requestEnd(reactor: number, slot: number, generation: number, trailerBytes: number): void
  requestReset(reactor: number, slot: number, generation: number, code: number): void
  requestConsume(reactor: number, slot: number, generation: number, bytes: number): void
  requestDiscard(reactor: number, slot: number, generation: number): void
  /** No mark of the gap will be sent. */
  requestGapOver(reactor: number, slot: number, generation: number): void
  /** Registers it; the reactor owns the stream. */
  requestAdopt(
    reactor: number,
    slot: number,
    generation: number,
    kind: number,
    tagBytes: number,
    policy: number,
    marksGaps: boolean,
  ): StreamUid | number
  /** As `sendAhead`, to a stream of a reactor; whether it was taken. `endsGap`: it is the mark of one. */
  requestAhead(uid: StreamUid, endsGap: boolean, ...message: MessageArguments): boolean
  reactorSocketIds(reactor: number, socket: number): number[]
  reactorSocketClose(reactor: number, socket: number, generation: number): void

  /** A string: why `tls` cannot be used. */
  listen(
    host: string,
    port: number,
    backlog: number,
    ipv6Only: boolean,
    tls?: CheckedTls,
  ): number | string
  /** '', or why it is left as it was. */
  reloadTls(listener: number, tls: CheckedTls): string
  unlisten(listener: number): void
  takeConnection(fd: number): void
  closeConnection(): void
  unreadBytes(fd: number): number
}

/** An enumeration in progress; opaque. */
export interface NativeEnumeration {
  readonly enumeration: unique symbol
}

/** `send` answers it for a stream of another thread. */
export const kQueued = -16

function load(): NativeBinding {
  checkRuntime(process.versions, process.platform)
  const require = createRequire(import.meta.url)
  const root = fileURLToPath(new URL('..', import.meta.url))
  try {
    const loadBinary = require('node-gyp-build') as (folder: string) => unknown
    return loadBinary(root) as NativeBinding
  } catch (error) {
    const target = `${process.platform}-${process.arch}`
    throw new HoldfastError(
      'ERR_HOLDFAST_BINARY',
      `no native binary for ${target} could be loaded`,
      error,
    )
  }
}

export const native: NativeBinding = load()
