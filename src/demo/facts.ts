import { formatUid, type Stats, type StreamInfo, type StreamManager } from '../index.js'

/** Marks the streams that understand this application's events. */
export const demoTag = 'demo'

/** The most streams one answer lists; the counts are of all. */
const kMostListed = 200

export interface StreamFacts {
  uid: string
  protocol: string
  peer: string
  createdAt: number
  idleMs: number
  queuedBytes: number
}

export interface ThreadFacts {
  thread: number
  connections: number
  /** All it holds; `listed` may be fewer. */
  streams: number
  listed: StreamFacts[]
}

export interface StreamList {
  /** The thread that made the list. */
  thread: number
  streams: number
  threads: ThreadFacts[]
}

/** The live streams of the whole process, by the thread that holds them. */
export function listByThread(manager: StreamManager): StreamList {
  const threads = manager
    .workers()
    .filter(({ accepting }) => accepting)
    .map(({ id, connections }) => ({ thread: id, connections, streams: 0, listed: [] }))
  const byId = new Map<number, ThreadFacts>(threads.map((facts) => [facts.thread, facts]))
  let streams = 0
  for (const info of manager.streams({ tag: demoTag })) {
    const facts = byId.get(info.worker)
    if (!facts) continue
    facts.streams++
    if (streams++ < kMostListed) facts.listed.push(describe(info))
  }
  return { thread: manager.worker, streams, threads }
}

/** Tells each page on this thread how the process does; a page that reads too slowly misses some. */
export function pushFacts(manager: StreamManager): void {
  const own = [...manager.streams({ worker: manager.worker, tag: demoTag })]
  if (own.length === 0) return
  const message = factsMessage(manager)
  for (const { uid } of own) manager.send(uid, message, { event: 'facts' })
}

export function factsMessage(manager: StreamManager): string {
  const stats: Stats = manager.stats()
  return JSON.stringify({ ...listByThread(manager), stats })
}

function describe(info: StreamInfo): StreamFacts {
  return {
    uid: formatUid(info.uid),
    protocol: info.tags[1] ?? '',
    peer: `${info.address}:${info.port}`,
    createdAt: info.createdAt,
    idleMs: info.idleMs,
    queuedBytes: info.queuedBytes,
  }
}
