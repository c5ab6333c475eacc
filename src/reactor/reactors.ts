import type { StreamManager } from '../manager.js'
import type { RequestTaker } from '../request/request-taker.js'
import { ReactorHolding } from './reactor-holding.js'
import { ReactorInbox, type ReactorEvents } from './reactor-inbox.js'
import { ReactorRequests } from './reactor-requests.js'
import { RequestTable } from './request-table.js'

/** This thread's side of what lives on reactors: what comes from them, and the streams held there. */
export class Reactors {
  readonly inbox: ReactorInbox
  readonly holding: ReactorHolding

  /** `flushSoon` has what is packed for other threads leave at the end of the tick. */
  constructor(
    manager: StreamManager,
    taker: RequestTaker,
    flushSoon: () => void,
    events: ReactorEvents,
  ) {
    const table = new RequestTable()
    const requests = new ReactorRequests(flushSoon)
    this.holding = new ReactorHolding(manager, table, requests, flushSoon)
    this.inbox = new ReactorInbox(table, requests, this.holding, taker, events)
  }
}
