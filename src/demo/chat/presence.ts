import type { StreamManager } from '../../index.js'
import { newsOf } from './topics.js'
import { roomTag, visitorOf, type Visitor } from './visitor.js'

/** A stream in a room: somebody with two pages is there twice. */
interface Present extends Visitor {
  /** The thread that holds it. */
  readonly thread: number
}

/** Several come and go in one moment when a thread or a browser does. */
const kGatherMs = 25

/**
 * Tells rooms who is there. Nobody keeps a list: the registry of the process is asked, which knows the
 * streams of all threads and their tags.
 */
export class Presence {
  readonly #manager: StreamManager
  readonly #changed = new Set<string>()

  constructor(manager: StreamManager) {
    this.#manager = manager
  }

  changed(room: string): void {
    if (this.#changed.size === 0) setTimeout(() => this.#tell(), kGatherMs)
    this.#changed.add(room)
  }

  #tell(): void {
    for (const room of this.#changed) {
      if (!this.#manager.isOpen) break
      // One clock for all threads. Of two lists that cross on their way, the later one is true.
      const stamp = Number(process.hrtime.bigint() / 1000n)
      const people = listPresent(this.#manager, room)
      this.#manager.publish(newsOf(room), JSON.stringify({ type: 'people', stamp, people }))
    }
    this.#changed.clear()
  }
}

function listPresent(manager: StreamManager, room: string): Present[] {
  const present: Present[] = []
  for (const info of manager.streams({ tag: roomTag(room) })) {
    const visitor = visitorOf(info)
    if (visitor && !info.closing) present.push({ ...visitor, thread: info.worker })
  }
  return present.sort((a, b) => a.thread - b.thread || (a.person < b.person ? -1 : 1))
}
