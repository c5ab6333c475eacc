import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/**
 * A thread of a test, running a script that answers calls (test/threads/fixtures/answer.mjs). Its
 * uncaught errors fail the calls that wait for it.
 */
export class TestThread {
  readonly worker: Worker
  readonly #waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void }
  >()
  #calls = 0

  private constructor(script: URL) {
    this.worker = new Worker(script)
    this.worker.on('message', ({ id, value, error }: Answer) => {
      const call = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) call?.resolve(value)
      else call?.reject(new Error(error))
    })
    this.worker.on('error', (error) => this.#fail(error))
    this.worker.on('exit', () => this.#fail(new Error('the thread has gone')))
  }

  static async start(script: URL): Promise<TestThread> {
    const thread = new TestThread(script)
    await once(thread.worker, 'online')
    return thread
  }

  static all(script: URL, count: number): Promise<TestThread[]> {
    return Promise.all(Array.from({ length: count }, () => TestThread.start(script)))
  }

  /** What the script's function of that name returns. */
  call<Result = void>(name: string, ...args: unknown[]): Promise<Result> {
    const id = this.#calls++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as Result), reject })
      this.worker.postMessage({ id, name, args })
    })
  }

  terminate(): Promise<number> {
    return this.worker.terminate()
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
