import type { Server } from 'node:net'
import { HoldfastError } from './errors.js'
import { AcceptingServer } from './http2/accept.js'
import { takeRequestsOf } from './http2/request-source.js'
import { bind, type Bound } from './listen.js'
import { native } from './native.js'
import type { RequestTaker } from './request/request-taker.js'

/**
 * What this thread serves: ports, a server that takes connections, requests. While it serves any it is
 * kept alive.
 */
export class Serving {
  readonly #taker: RequestTaker
  readonly #hasReactors: boolean
  readonly #listening = new Set<number>()
  #accepting: AcceptingServer | undefined
  /** Somebody has asked for requests, once. */
  #takesRequests = false
  #takesOfReactors = false
  #open = true

  constructor(taker: RequestTaker, hasReactors: boolean) {
    this.#taker = taker
    this.#hasReactors = hasReactors
  }

  /** @throws ERR_HOLDFAST_LISTEN */
  listen(...where: Parameters<typeof bind>): Bound {
    const bound = bind(...where)
    this.#listening.add(bound.listener)
    this.#updateRef()
    return bound
  }

  unlisten(listener: number): void {
    if (!this.#open || !this.#listening.delete(listener)) return
    native.unlisten(listener)
    this.#updateRef()
  }

  /** @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_ALREADY_ACCEPTING */
  accept(server: Server): void {
    if (this.#accepting) throw new HoldfastError('ERR_HOLDFAST_ALREADY_ACCEPTING')
    this.#accepting = new AcceptingServer(server, () => this.#stopAccepting())
    if (this.#takesRequests) takeRequestsOf(server, this.#taker)
    native.setAccepting(true)
    this.#updateRef()
  }

  /** Somebody asks for requests. A server of whose requests nobody asks is left as it is. */
  takeRequests(): void {
    if (!this.#takesRequests && this.#accepting) {
      takeRequestsOf(this.#accepting.server, this.#taker)
    }
    this.#takesRequests = true
    this.#setTakesOfReactors(this.#hasReactors)
  }

  /** Nobody does any more. */
  leaveRequests(): void {
    this.#setTakesOfReactors(false)
  }

  takeConnection(fd: number): void {
    // What is not taken is placed again when the batch has ended.
    const accepting = this.#accepting
    if (!accepting) return
    const socket = AcceptingServer.wrap(accepting.server, fd)
    native.takeConnection(fd)
    socket.once('close', () => native.closeConnection())
    accepting.take(socket)
  }

  /** The manager closes; the native side lets go of all by itself. */
  close(): void {
    this.#accepting?.release()
    this.#stopAccepting()
    this.#open = false
  }

  #setTakesOfReactors(takes: boolean): void {
    if (takes === this.#takesOfReactors || !this.#open) return
    this.#takesOfReactors = takes
    native.setTakesRequests(takes)
    this.#updateRef()
  }

  #stopAccepting(): void {
    if (!this.#accepting) return
    this.#accepting = undefined
    if (!this.#open) return
    native.setAccepting(false)
    this.#updateRef()
  }

  #updateRef(): void {
    native.setRef(
      this.#accepting !== undefined || this.#listening.size > 0 || this.#takesOfReactors,
    )
  }
}
