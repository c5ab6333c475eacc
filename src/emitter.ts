import { EventEmitter } from 'node:events'

type Events = Record<string, unknown[]>
type Listener<Args extends unknown[]> = (...args: Args) => void

/**
 * An event emitter that costs nothing until somebody listens: most streams and sockets have no
 * listener for all their life.
 */
export class LazyEmitter<Map extends { [K in keyof Map]: unknown[] } = Events> {
  #emitter: EventEmitter | undefined

  on<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    this.#listening().on(event, listener as Listener<unknown[]>)
    return this
  }

  once<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    this.#listening().once(event, listener as Listener<unknown[]>)
    return this
  }

  off<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    this.#emitter?.off(event, listener as Listener<unknown[]>)
    return this
  }

  /** The same as `off`; `events.once()` of Node asks for it. */
  removeListener<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    return this.off(event, listener)
  }

  listenerCount(event: keyof Map & string): number {
    return this.#emitter?.listenerCount(event) ?? 0
  }

  /** @internal */
  emit<K extends keyof Map & string>(event: K, ...args: Map[K]): void {
    this.#emitter?.emit(event, ...args)
  }

  /** Called when the first listener comes. */
  protected onFirstListener(): void {}

  #listening(): EventEmitter {
    if (!this.#emitter) {
      this.#emitter = new EventEmitter()
      this.onFirstListener()
    }
    return this.#emitter
  }
}
