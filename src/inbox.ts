import { arena, arenaWords, kRecordWords } from './memory.js'
import { native } from './native.js'
import type { ReactorInbox } from './reactor/reactor-inbox.js'
import { closeReasons, type CloseReason } from './stream-info.js'
import type { StreamTable } from './stream-table.js'
import type { StreamWrites } from './stream-writes.js'
import { callUser } from './uncaught.js'
import { outcomes, type Outcome } from './waiting.js'

/** The numbers of native/binding/node_carrier.h; those from 11 to 19 are of reactors. */
const op = {
  write: 1,
  close: 2,
  workerExit: 3,
  hangup: 4,
  expired: 5,
  connection: 6,
  writeMany: 7,
  gap: 8,
  writeAwaited: 9,
  settled: 10,
  topicNews: 20,
  end: 21,
  slow: 22,
} as const

/** In the order of native/core/sweep.h. */
const expiries = ['idle', 'maxAge', 'stuck'] as const
export type Expiry = (typeof expiries)[number]

/** What a batch can bring beside writes. Handles are those of the stream table. */
export interface InboxEvents {
  close(handle: number, code: number, reason: CloseReason, text: string): void
  gap(handle: number): void
  end(handle: number): void
  settled(low: number, high: number, outcome: number): void
  expired(handle: number, expiry: Expiry): void
  workerExit(worker: number, streams: number): void
  hangup(socket: number): void
  connection(fd: number): void
  topicNews(ring: number): void
}

/**
 * Carries out one batch of records; the native half is native/binding/node_carrier.cc. Whatever a
 * record's handling throws is thrown again outside, as an uncaught error of its own, so that the
 * records behind it are not lost with it.
 */
export class Inbox {
  readonly #table: StreamTable
  readonly #writes: StreamWrites
  readonly #events: InboxEvents
  readonly #reactors: ReactorInbox
  #delivered = 0
  #undeliverable = 0

  constructor(
    table: StreamTable,
    writes: StreamWrites,
    reactors: ReactorInbox,
    events: InboxEvents,
  ) {
    this.#table = table
    this.#writes = writes
    this.#events = events
    this.#reactors = reactors
  }

  readonly onBatch = (records: number, large: Buffer | undefined): void => {
    this.#table.beginBatch()
    this.#delivered = this.#undeliverable = 0
    for (let i = 0; i < records; i++) {
      callUser(() => this.#handle(i * kRecordWords, large))
    }
    this.#table.endBatch()
    this.#writes.tellSlow()
    // Also after the manager was closed by one of them: then the batch is still the worker's last.
    native.settle(this.#delivered, this.#undeliverable)
  }

  #handle(at: number, large: Buffer | undefined): void {
    const a = arenaWords[at + 1]!
    const b = arenaWords[at + 2]!
    const c = arenaWords[at + 3]!
    const d = arenaWords[at + 4]!
    switch (arenaWords[at]!) {
      case op.write:
        return this.#write(a, large ?? copy(b, c), d)
      case op.writeMany:
        return this.#writeMany(a, b, large ?? copy(c, d), arenaWords[at + 5]!)
      case op.close:
        return this.#events.close(
          a,
          d,
          closeReasons[arenaWords[at + 5]!]!,
          arena.toString('utf8', b, b + c),
        )
      case op.writeAwaited:
        return this.#writeAwaited(a, large ?? copy(b, c), d, arenaWords[at + 5]!)
      case op.settled:
        return this.#events.settled(a, b, c)
      case op.gap:
        return this.#events.gap(a)
      case op.end:
        return this.#events.end(a)
      case op.slow:
        return this.#writes.markSlow(this.#table.get(a))
      case op.workerExit:
        return this.#events.workerExit(a, b + c * 2 ** 32)
      case op.hangup:
        return this.#events.hangup(a)
      case op.expired:
        return this.#events.expired(a, expiries[b]!)
      case op.topicNews:
        return this.#events.topicNews(a + b * 2 ** 32)
      case op.connection:
        return this.#events.connection(a)
      default:
        return this.#reactors.handle(at, large)
    }
  }

  #write(handle: number, bytes: Buffer, messages: number): void {
    // Gone, or ended by its own user, since the batch was made.
    if (this.#writes.writeOrRelease(this.#table.get(handle), bytes)) this.#delivered += messages
    else this.#undeliverable += messages
  }

  #writeAwaited(handle: number, bytes: Buffer, low: number, high: number): void {
    const settle = (outcome: Outcome): void => native.settleAwaited(low, high, outcome)
    if (this.#writes.writeOrRelease(this.#table.get(handle), bytes, settle)) {
      this.#delivered++
    } else {
      this.#undeliverable++
      settle(outcomes.gone)
    }
  }

  #writeMany(offset: number, count: number, bytes: Buffer, messages: number): void {
    const handles = arenaWords.subarray(offset / 4, offset / 4 + count)
    const written = this.#writes.writeMany(handles, bytes)
    this.#delivered += written * messages
    this.#undeliverable += (count - written) * messages
  }
}

/** The arena is overwritten by the next batch; what is written outlives this one. */
function copy(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  arena.copy(bytes, 0, offset, offset + length)
  return bytes
}
