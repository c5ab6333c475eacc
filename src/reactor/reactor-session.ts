/** An HTTP/2 session that lives on a reactor, as `socket.owner` shows it. */
export class ReactorSession {
  /** The number of the reactor among the workers. */
  readonly worker: number
  /** The peer's address and port, empty and 0 if unknown. */
  readonly address: string
  readonly port: number
  /** @internal Where the native side keeps it. */
  readonly reactor: number
  /** @internal */
  readonly generation: number

  /** @internal */
  constructor(worker: number, address: string, port: number, reactor: number, generation: number) {
    this.worker = worker
    this.address = address
    this.port = port
    this.reactor = reactor
    this.generation = generation
  }
}
