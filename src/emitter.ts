import { EventEmitter } from 'node:events'

type Events = Record<string, unknown[]>
type Listener<Args extends unknown[]> = (...args: Args) => unknown

/**
 * An event emitter that costs nothing until somebody listens: most streams and sockets have no
 * listener for all their life.
 */
export class LazyEmitter<Map extends { [K in keyof Map]: unknown[] } = Events> {
  #emitter: EventEmitter | undefined

  on<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    this.#listening(event, listener).on(event, listener as Listener<unknown[]>)
    return this
  }

  once<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    this.#listening(event, listener).once(event, listener as Listener<unknown[]>)
    return this
  }

  off<K extends keyof Map & string>(event: K, listener: Listener<Map[K]>): this {
    this.#emitter?.off(event, listener as Listener<unknown[]>)
    this.onListenerGone?.(event)
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

  /**
   * @internal Calls each listener by itself. What one throws, or its promise is rejected with, goes to
   * `failed`, and the others are still called.
   */
  callEach<K extends keyof Map & string>(
    event: K,
    failed: (error: unknown) => void,
    ...args: Map[K]
  ): void {
    const listeners = this.#emitter?.rawListeners(event) ?? []
    for (const listener of listeners) {
      try {
        const result: unknown = Reflect.apply(listener, this.#emitter, args)
        if (result instanceof Promise) result.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    if (this.listenerCount(event) < listeners.length) this.onListenerGone?.(event)
  }

  /** Called for each listener that comes, before it is there. */
  protected onListener?(event: keyof Map & string): void

  /** Called behind each `off`, and behind a `callEach` that used up who listened once. */
  protected onListenerGone?(event: keyof Map & string): void

  #listening(event: keyof Map & string, listener: unknown): EventEmitter {
    // What is no function, the emitter refuses: nothing has changed then.
    if (typeof listener === 'function') this.onListener?.(event)
    return (this.#emitter ??= new EventEmitter())
  }
}
