import type { ClientHttp2Session } from 'node:http2'
import { connect, type Reading } from './client.js'
import type { Demo } from './demo.js'
import { eventsIn } from './event-list.js'
import { until } from './wait.js'
import { Http2WebSocket } from './websocket.js'

/** What the chat sends. */
export interface Heard {
  readonly type: string
  readonly text?: string
  readonly error?: string
  readonly uid?: string
  readonly people?: { name: string }[]
}

/** Clients of the chat without a page. */
export class ChatClients {
  readonly #sessions: ClientHttp2Session[] = []

  constructor(readonly demo: Demo) {}

  /** A connection of its own, and so on the thread that has the fewest. */
  dial(): ClientHttp2Session {
    const session = connect(this.demo.url, { rejectUnauthorized: false })
    this.#sessions.push(session)
    return session
  }

  async open(fields: Record<string, string> = {}, session = this.dial()): Promise<Http2WebSocket> {
    return Http2WebSocket.open(session, { path: `/socket?${query(fields)}` })
  }

  close(): void {
    for (const session of this.#sessions.splice(0)) session.destroy()
  }
}

let secrets = 0
export const newSecret = (): string => `a-secret-of-somebody-${++secrets}`

/** Somebody new in the lobby, unless `fields` say otherwise. */
export const query = (fields: Record<string, string> = {}): string =>
  String(new URLSearchParams({ room: 'lobby', name: 'Ada', secret: newSecret(), ...fields }))

let nonces = 0
export const saying = (text: unknown): string =>
  JSON.stringify({ type: 'say', nonce: `nonce-${++nonces}-of-a-message`, text })

export const heardBy = (socket: Http2WebSocket): Heard[] =>
  socket.messages.map((message) => JSON.parse(String(message)) as Heard)

export const heardIn = (events: Reading): Heard[] =>
  eventsIn(events.text()).map(({ data }) => JSON.parse(data) as Heard)

export const textsOf = (heard: readonly Heard[]): string[] =>
  heard.flatMap(({ type, text = '' }) => (type === 'message' ? [text] : []))

/** Who was there, in each list that came. */
export const listsOf = (heard: readonly Heard[]): string[][] =>
  heard.flatMap(({ people }) => (people ? [people.map(({ name }) => name).sort()] : []))

export async function refusalOf(socket: Http2WebSocket): Promise<string | undefined> {
  const refusal = () => heardBy(socket).find(({ type }) => type === 'refused')
  await until('it was refused', refusal)
  return refusal()?.error
}
