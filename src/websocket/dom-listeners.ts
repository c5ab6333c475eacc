import type { EventEmitter } from 'node:events'

export type DomType = 'open' | 'message' | 'close' | 'error'

/** An event as a browser's WebSocket would give it; which fields it has depends on its type. */
export interface DomEvent {
  readonly type: DomType
  readonly target: object
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
  readonly wasClean?: boolean
  readonly error?: Error
  readonly message?: string
}
export type DomListener = (event: DomEvent) => void

type Emitted = (...args: never[]) => void

/** Browser-like listeners on an emitter of `ws` events: `addEventListener` and `onmessage`. */
export class DomListeners {
  readonly #target: EventEmitter
  readonly #added = new Map<DomType, Map<DomListener, Emitted>>()
  readonly #attributes = new Map<DomType, { listener: DomListener; added: DomListener }>()

  constructor(target: EventEmitter) {
    this.#target = target
  }

  add(type: DomType, listener: DomListener, once: boolean): void {
    const added = this.#ofType(type)
    if (added.has(listener)) return
    const emitted = (...args: unknown[]): void => {
      if (once) this.remove(type, listener)
      listener.call(this.#target, this.#event(type, args))
    }
    added.set(listener, emitted)
    this.#target.on(type, emitted)
  }

  remove(type: DomType, listener: DomListener): void {
    const added = this.#ofType(type)
    const emitted = added.get(listener)
    added.delete(listener)
    if (emitted) this.#target.off(type, emitted as (...args: unknown[]) => void)
  }

  attribute(type: DomType): DomListener | null {
    return this.#attributes.get(type)?.listener ?? null
  }

  setAttribute(type: DomType, listener: DomListener | null): void {
    const old = this.#attributes.get(type)
    if (old) this.remove(type, old.added)
    this.#attributes.delete(type)
    if (typeof listener !== 'function') return
    // Its own function, so that the same listener can be added beside it.
    const added: DomListener = (event) => listener.call(this.#target, event)
    this.#attributes.set(type, { listener, added })
    this.add(type, added, false)
  }

  #ofType(type: DomType): Map<DomListener, Emitted> {
    const added = this.#added.get(type) ?? new Map<DomListener, Emitted>()
    this.#added.set(type, added)
    return added
  }

  #event(type: DomType, args: readonly unknown[]): DomEvent {
    const event = { type, target: this.#target }
    switch (type) {
      case 'message':
        return { ...event, data: args[1] === true ? args[0] : String(args[0]) }
      case 'close':
        return {
          ...event,
          code: args[0] as number,
          reason: String(args[1]),
          wasClean: args[0] !== 1006,
        }
      case 'error':
        return { ...event, error: args[0] as Error, message: (args[0] as Error).message }
      case 'open':
        return event
    }
  }
}
