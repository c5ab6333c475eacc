import type { ReactorRequest } from './reactor-request.js'

/** The requests that this thread was given and that are not over: by reactor and slot. */
export class RequestTable {
  readonly #reactors: (ReactorRequest | undefined)[][] = []

  put(request: ReactorRequest): void {
    const slots = (this.#reactors[request.reactor] ??= [])
    // Without holes it stays an array for the engine, too.
    while (slots.length < request.slot) slots.push(undefined)
    slots[request.slot] = request
  }

  /** Only that very request: a slot is given away again, under another generation. */
  get(reactor: number, slot: number, generation: number): ReactorRequest | undefined {
    const request = this.#reactors[reactor]?.[slot]
    return request?.generation === generation ? request : undefined
  }

  remove(request: ReactorRequest): void {
    this.#reactors[request.reactor]![request.slot] = undefined
  }

  *live(): Generator<ReactorRequest> {
    for (const slots of this.#reactors) {
      for (const request of slots ?? []) if (request) yield request
    }
  }
}
