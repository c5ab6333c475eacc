import type { ReactorClient } from './reactor-client.js'

interface Entry {
  readonly generation: number
  readonly client: ReactorClient
}

/** Who is at the other end of those sessions of reactors whose clients have shown a certificate. */
export class ClientTable {
  readonly #reactors: Map<number, Entry>[] = []

  put(reactor: number, socket: number, generation: number, client: ReactorClient): void {
    ;(this.#reactors[reactor] ??= new Map()).set(socket, { generation, client })
  }

  /** Only that very session's: a place is given away again, under another generation. */
  get(reactor: number, socket: number, generation: number): ReactorClient | undefined {
    const entry = this.#reactors[reactor]?.get(socket)
    return entry?.generation === generation ? entry.client : undefined
  }

  remove(reactor: number, socket: number): void {
    this.#reactors[reactor]?.delete(socket)
  }
}
