import { native } from './native.js'
import { formatUid, type StreamUid } from './uid.js'
import { slowPolicies, type SlowPolicy } from './slow-policy.js'
import { closeReasons, streamKinds, type CloseReason } from './stream-info.js'

/** The counters of native/core/counters.h up to those of a kind, reason or policy, in its order. */
export const counterNames = [
  'cacheHits',
  'crossWorkerLookups',
  'cacheMisses',
  'socketsOpened',
  'socketsClosed',
  'streamsDetached',
  'detachedDestroyed',
  'messagesSent',
  'messagesQueued',
  'messagesFull',
  'messagesGone',
  'messagesPublished',
  'messagesDelivered',
  'messagesUndeliverable',
  'messagesDropped',
  'messagesReplayed',
  'replayGaps',
  'staticAnswers',
  'requestsRefused',
  'connectionsPlaced',
  'connectionsReturned',
  'connectionsDropped',
  'connectionsTimedOut',
  'connectionsAbandoned',
] as const

type Counted = Record<(typeof counterNames)[number], number>

/**
 * Of the whole process, since it began. `messages…`: `Sent` to a stream of the sender's own thread,
 * `Queued` for another, `Full` and `Gone` refused; `Published`, one a stream that a publish or
 * broadcast reached. Of the queued and published ones, `Delivered` to their stream, `Dropped`, as it
 * was over its budget, or `Undeliverable`, as the stream or its thread had gone. `Replayed`: sent again
 * to streams whose clients had missed them; `replayGaps`: clients that had missed more than was kept.
 * `connections…`: `Placed` on a thread, `Returned` by one that ceased to take them first, `Dropped`, as
 * no thread was left; `TimedOut` or `Abandoned` (by the peer, or by the port's close) before their first
 * bytes told where they go, or while no thread was there to take them.
 */
export interface Stats extends Counted {
  totalStreamsCreated: number
  totalStreamsDestroyed: number
  activeStreams: number
  activeRawStreams: number
  activeSseStreams: number
  activeWebsocketStreams: number
  /** Live streams that are detached, of any kind. */
  detachedStreams: number
  /** Bytes that streams have waiting, all together; to about 64 KiB a thread. */
  queuedBytes: number
  /** Topics that are kept, and what is kept of them. */
  replayTopics: number
  replayEvents: number
  replayBytes: number
  /** Of the streams whose readers are behind, the ten with most waiting; `uid` in its text form. */
  slowest: { uid: string; queuedBytes: number }[]
  /** Live events sockets. */
  activeSockets: number
  /** Streams destroyed, by reason. */
  closed: Record<CloseReason, number>
  /**
   * Messages that were refused or dropped, by the policy of a stream that had its budget waiting, or
   * to which the process's bound left no more. Those are among `messagesFull` and `messagesDropped`.
   */
  overBudget: Record<SlowPolicy, number>
}

export function readStats(): Stats {
  const totals = native.totals()
  const at = (index: number): number => totals[index] ?? 0
  const counted = Object.fromEntries(counterNames.map((name, i) => [name, at(i)])) as Counted
  const [replayTopics, replayEvents, replayBytes] = native.replayUsage()
  const created = counterNames.length
  const destroyed = created + streamKinds.length
  const closed = destroyed + streamKinds.length
  const overBudget = closed + closeReasons.length
  const active = streamKinds.map((_, kind) => at(created + kind) - at(destroyed + kind))
  const sum = (begin: number): number =>
    streamKinds.reduce((all, _, kind) => all + at(begin + kind), 0)
  return {
    totalStreamsCreated: sum(created),
    totalStreamsDestroyed: sum(destroyed),
    activeStreams: sum(created) - sum(destroyed),
    activeRawStreams: active[0] ?? 0,
    activeSseStreams: active[1] ?? 0,
    activeWebsocketStreams: active[2] ?? 0,
    detachedStreams: counted.streamsDetached - counted.detachedDestroyed,
    activeSockets: counted.socketsOpened - counted.socketsClosed,
    queuedBytes: native.queuedBytes(),
    replayTopics,
    replayEvents,
    replayBytes,
    slowest: readSlowest(),
    ...counted,
    closed: Object.fromEntries(closeReasons.map((reason, i) => [reason, at(closed + i)])) as Record<
      CloseReason,
      number
    >,
    overBudget: Object.fromEntries(
      slowPolicies.map((policy, i) => [policy, at(overBudget + i)]),
    ) as Record<SlowPolicy, number>,
  }
}

function readSlowest(): Stats['slowest'] {
  const list = native.slowest(10)
  const slowest: Stats['slowest'] = []
  for (let i = 0; i < list.length; i += 2) {
    slowest.push({ uid: formatUid(list[i] as StreamUid), queuedBytes: Number(list[i + 1]) })
  }
  return slowest
}

/** In the order of native/core/worker.h. */
export const workerKinds = ['thread', 'reactor'] as const

/** One live worker. */
export interface WorkerInfo {
  readonly id: number
  /** A thread that opened the manager, or a reactor: one of ours, without JavaScript. */
  readonly kind: (typeof workerKinds)[number]
  /** Whether it takes connections from `listen`. */
  readonly accepting: boolean
  /** What a new connection is weighed by: connections, and each stream beyond a socket's first. */
  readonly load: number
  /** Placed by `listen` and not yet closed. */
  readonly connections: number
  readonly streams: number
  readonly sockets: number
  /** Blocks of uids in use, waiting to be used again, and spent for ever. */
  readonly blocksLive: number
  readonly blocksQuarantined: number
  readonly blocksRetired: number
  /** Bytes waiting in its mailbox, or reserved by senders about to fill it. */
  readonly mailboxBytes: number
}

const kColumns = 11

export function readWorkers(): WorkerInfo[] {
  const table = native.workers()
  const workers: WorkerInfo[] = []
  for (let row = 0; row < table.length; row += kColumns) {
    const at = (column: number): number => table[row + column] ?? 0
    workers.push({
      id: at(0),
      kind: workerKinds[at(10)] ?? 'thread',
      accepting: at(1) === 1,
      load: at(2),
      connections: at(3),
      streams: at(4),
      sockets: at(5),
      blocksLive: at(6),
      blocksQuarantined: at(7),
      blocksRetired: at(8),
      mailboxBytes: at(9),
    })
  }
  return workers
}
