import { EventFinder } from './event-finder.mjs'

/** One WebSocket as a client sees it: takes what came, and sends frames. */
export class Lane {
  finder = new EventFinder()
  /** Called with how many events came. */
  onEvents = () => {}

  constructor(send) {
    this.send = send
  }

  /** False if an event is not the one that is next. */
  take(bytes) {
    const before = this.finder.events
    const inOrder = this.finder.take(bytes)
    if (this.finder.events > before) this.onEvents(this.finder.events - before)
    return inOrder
  }
}
