import { HoldfastError, type StreamManager } from '../../index.js'
import { newsOf, talkOf } from './topics.js'

/** Of each room. */
const kKept = { events: 100, bytes: 128 * 1024 }
const kLookEveryMs = 60_000
const kEmptyForMs = 10 * kLookEveryMs

/** What was said in the rooms that somebody entered on this thread, until they have been empty for long. */
export class KeptRooms {
  readonly #manager: StreamManager
  /** When somebody was last known to be there, whichever thread holds them. */
  readonly #usedAt = new Map<string, number>()
  readonly #look = setInterval(() => this.forgetEmpty(Date.now()), kLookEveryMs).unref()

  constructor(manager: StreamManager) {
    this.#manager = manager
  }

  /** Keeps what will be said there; false if so many rooms are kept that this one is not. */
  keep(room: string): boolean {
    try {
      this.#manager.setTopic(talkOf(room), { replay: kKept })
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_REPLAY_LIMIT') return false
      throw error
    }
    this.#usedAt.set(room, Date.now())
    return true
  }

  forgetEmpty(now: number): void {
    for (const [room, usedAt] of this.#usedAt) {
      if (this.#manager.subscribers(newsOf(room)).length > 0) {
        this.#usedAt.set(room, now)
      } else if (now - usedAt > kEmptyForMs) {
        this.#manager.setTopic(talkOf(room), { replay: false })
        this.#usedAt.delete(room)
      }
    }
  }

  stop(): void {
    clearInterval(this.#look)
  }
}
