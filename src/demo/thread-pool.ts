import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** The serving threads. One that dies is replaced, if it had come as far as serving. */
export class ThreadPool {
  readonly #script: URL
  readonly #workerData: object
  readonly #threads = new Set<Worker>()
  #stopping = false

  constructor(script: URL, workerData: object) {
    this.#script = script
    this.#workerData = workerData
  }

  /** Resolves when all of them serve; rejects if one dies before it does. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#spawn()))
  }

  /** Resolves when all of them have closed their streams and ended. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(
      [...this.#threads].map((thread) => {
        const exit = once(thread, 'exit')
        thread.postMessage('stop')
        return exit
      }),
    )
  }

  #spawn(): Promise<void> {
    const thread = new Worker(this.#script, { workerData: this.#workerData })
    this.#threads.add(thread)
    return new Promise((resolve, reject) => {
      let serves = false
      thread.once('message', () => {
        serves = true
        resolve()
      })
      thread.on('error', (error) => {
        console.error(error)
      })
      thread.once('exit', (code) => {
        this.#threads.delete(thread)
        if (this.#stopping) resolve()
        else if (serves) this.#replace()
        else reject(new Error(`a thread ended with code ${code} before it served`))
      })
    })
  }

  #replace(): void {
    this.#spawn().catch((error: unknown) => {
      console.error(error)
    })
  }
}
