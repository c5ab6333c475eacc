import type { Server } from 'node:net'
import { carriers } from './carriers.js'
import { HoldfastError } from './errors.js'
import { AcceptingServer } from './http2/accept.js'
import { takeRequestsOf } from './http2/request-source.js'
import { bind, type CheckedListen, type Listening } from './listen.js'
import { native } from './native.js'
import type { RequestTaker } from './request/request-taker.js'
import { checkTlsOptions, tlsError, type CheckedTls } from './tls.js'

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

  /** @throws ERR_HOLDFAST_LISTEN, ERR_HOLDFAST_TLS */
  listen(options: CheckedListen, addresses: readonly string[]): Listening {
    // Without it no connection is seen to be one of HTTP/2, and all go to Node threads.
    const { tls, ...clear } = options
    const { port, address, listener } = bind(tls && hasNativeTls() ? options : clear, addresses)
    this.#listening.add(listener)
    this.#updateRef()
    return {
      port,
      address,
      close: () => this.#unlisten(listener),
      reloadTls: (next) => {
        if (!tls) {
          throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', 'the port does not speak TLS')
        }
        this.#reloadTls(listener, checkTlsOptions(next))
      },
    }
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
    // One that outlives the manager is none of the next one's.
    socket.once('close', () => this.#open && native.closeConnection())
    accepting.take(socket)
  }

  /** The manager closes; the native side lets go of all by itself. */
  close(): void {
    this.#accepting?.release()
    this.#stopAccepting()
    this.#open = false
  }

  #unlisten(listener: number): void {
    if (!this.#open || !this.#listening.delete(listener)) return
    native.unlisten(listener)
    this.#updateRef()
  }

  #reloadTls(listener: number, tls: CheckedTls): void {
    if (!this.#open || !this.#listening.has(listener)) {
      throw new HoldfastError('ERR_HOLDFAST_CLOSED', 'the port was closed')
    }
    const whyNot = hasNativeTls() ? native.reloadTls(listener, tls) : ''
    if (whyNot !== '') throw tlsError(whyNot)
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

function hasNativeTls(): boolean {
  return carriers().nativeTls.available
}
