import { openEvents, openWebSocket } from './links.js'

const kFirstRetryMs = 400
const kLastRetryMs = 8000
/** So many WebSockets in a row must have come to nothing before events are tried. */
const kPatience = 2

/**
 * Keeps this page in its room: connects again when the connection is lost, and by the other transport
 * if WebSockets do not get through. `on`: state(state, transport), message(value).
 */
export class Connection {
  #visitor
  #on
  #link
  #timer
  #failures = 0
  #lastEventId = ''
  #room
  #state

  constructor(visitor, on) {
    this.#visitor = visitor
    this.#on = on
    addEventListener('online', () => this.#state === 'connecting' && this.open())
    // Else a page that is kept for "back" would stay in the room.
    addEventListener('pagehide', () => this.close())
    addEventListener('pageshow', ({ persisted }) => persisted && this.open())
  }

  /** Leaves, and comes in as what the visitor is now. */
  open() {
    this.close()
    const { room, name, secret, transport } = this.#visitor
    if (room !== this.#room) this.#lastEventId = ''
    this.#room = room
    const query = new URLSearchParams({ room, name, secret, after: this.#lastEventId })
    const byEvents = transport === 'events' || this.#failures >= kPatience
    const used = byEvents ? 'events' : 'websocket'
    this.#say('connecting', used)
    const link = (byEvents ? openEvents : openWebSocket)(
      query,
      {
        message: (value, lastEventId) => this.#hear(link, used, value, lastEventId),
        waiting: () => this.#say('connecting', used),
        lost: () => link === this.#link && this.#retry(used),
      },
      secret,
    )
    this.#link = link
  }

  close() {
    clearTimeout(this.#timer)
    this.#link?.close()
    this.#link = undefined
  }

  /** Resolves with why it was refused; rejects if there is no connection. */
  async send(value) {
    if (this.#state !== 'open' || !this.#link) throw new Error('not connected')
    return this.#link.send(value)
  }

  #hear(link, used, value, lastEventId) {
    if (link !== this.#link) return
    if (lastEventId) this.#lastEventId = lastEventId
    if (value.type === 'hello') this.#failures = 0
    if (value.type === 'ready') this.#say('open', used)
    if (value.type === 'refused' && value.nonce === undefined && this.#state !== 'open') {
      // To ask once more would be answered alike.
      this.close()
      this.#say('refused', used)
    }
    this.#on.message(value)
  }

  #retry(used) {
    // When events do not get through either, WebSockets have their turn again.
    this.#failures = used === 'events' ? 0 : this.#failures + 1
    this.#link = undefined
    this.#say('connecting', used)
    this.#attempts = Math.min(this.#attempts + 1, 8)
    const most = Math.min(kLastRetryMs, kFirstRetryMs * 2 ** this.#attempts)
    this.#timer = setTimeout(() => this.open(), most * (0.5 + Math.random() / 2))
  }

  #attempts = -1

  #say(state, transport) {
    if (state === 'open') this.#attempts = -1
    this.#state = state
    this.#on.state(state, transport)
  }
}
