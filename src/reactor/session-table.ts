import type { EventsSocket } from '../socket.js'
import type { ReactorSession } from './reactor-session.js'

/** The sessions of reactors on which this thread has, or had, registered streams. */
export class SessionTable {
  readonly #reactors: Map<number, EventsSocket>[] = []

  put(socket: EventsSocket): void {
    ;(this.#reactors[sessionOf(socket).reactor] ??= new Map()).set(socket.index, socket)
  }

  /** Only that very session. */
  get(reactor: number, index: number, generation: number): EventsSocket | undefined {
    const socket = this.#reactors[reactor]?.get(index)
    return socket && sessionOf(socket).generation === generation ? socket : undefined
  }

  remove(socket: EventsSocket): void {
    this.#reactors[sessionOf(socket).reactor]?.delete(socket.index)
  }

  all(): EventsSocket[] {
    return this.#reactors.flatMap((sockets) => [...(sockets?.values() ?? [])])
  }
}

export function sessionOf(socket: EventsSocket): ReactorSession {
  return socket.owner as ReactorSession
}
