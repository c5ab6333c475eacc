import { Socket, type BlockList, type Server } from 'node:net'
import { HoldfastError } from '../errors.js'
import { admitExtendedConnect } from './extended-connect.js'

/** What node:net keeps on a server and on its sockets; not in its public types. */
interface ServerInternals {
  _connections?: number
  allowHalfOpen?: boolean
  keepAlive?: boolean
  keepAliveInitialDelay?: number
  highWaterMark?: number
}
interface SocketInternals {
  server?: Server
  _server?: Server
}

const kPlaced = Symbol('holdfast.placed')

/** Whether the connection, or the one below its TLS, was placed on this thread by `listen`. */
export function isPlaced(socket: object | undefined): boolean {
  for (let below = socket; below; below = (below as { _parent?: object })._parent) {
    // Not `in`: a session's socket is a proxy that forwards reads alone.
    if ((below as { [kPlaced]?: true })[kPlaced]) return true
  }
  return false
}

/**
 * Feeds accepted connections to a server of this thread as if it had accepted them itself.
 *
 * A server that does not listen lacks what node sets up when it does: the timer behind its header
 * and request time-outs, and the count that `getConnections`, `maxConnections` and `close` go by.
 */
export class AcceptingServer {
  readonly #server: Server
  readonly #stopped: () => void
  readonly #stopAdmitting: () => void

  /** @throws ERR_HOLDFAST_INVALID_ARGUMENT */
  constructor(server: Server, stopped: () => void) {
    const takes = (event: string): boolean =>
      (server as Partial<Server>).listenerCount?.(event) !== 0
    if (
      typeof (server as unknown) !== 'object' ||
      server === null ||
      !('getConnections' in server) ||
      !takes('connection')
    ) {
      throw new HoldfastError(
        'ERR_HOLDFAST_INVALID_ARGUMENT',
        'not a node:http2, https or http server',
      )
    }
    this.#server = server
    this.#stopped = stopped
    for (const listener of server.listeners('listening')) {
      if (listener.name === 'setupConnectionsTracking') listener.call(server)
    }
    this.#stopAdmitting = admitExtendedConnect(server)
    this.#stopWithServer()
  }

  get server(): Server {
    return this.#server
  }

  /** Wraps the descriptor; from then on it belongs to the socket. */
  static wrap(server: Server, fd: number): Socket {
    const { allowHalfOpen = false, highWaterMark } = server as ServerInternals
    const socket = new Socket({
      fd,
      readable: true,
      writable: true,
      allowHalfOpen,
      ...(highWaterMark === undefined ? {} : { readableHighWaterMark: highWaterMark }),
    })
    Object.defineProperty(socket, kPlaced, { value: true })
    return socket
  }

  take(socket: Socket): void {
    const server = this.#server
    const internals = server as ServerInternals
    if (server.maxConnections && (internals._connections ?? 0) >= server.maxConnections) {
      const { remoteAddress, remotePort, localAddress, localPort } = socket
      socket.destroy()
      server.emit('drop', { remoteAddress, remotePort, localAddress, localPort })
      return
    }
    if (isBlocked(server, socket)) {
      socket.destroy()
      return
    }
    if (internals.keepAlive) socket.setKeepAlive(true, internals.keepAliveInitialDelay)
    if (typeof internals._connections === 'number') {
      internals._connections++
      // By `_server` the socket takes itself off the count when it closes.
      Object.assign(socket as SocketInternals, { server, _server: server })
    }
    server.emit('connection', socket)
  }

  /** Undoes what the constructor did to the server's `close`, and its listener. */
  release(): void {
    this.#stopAdmitting()
    delete (this.#server as Partial<Server>).close
  }

  /** `server.close()` means: no further connections. It is no error that the server has no handle. */
  #stopWithServer(): void {
    const server = this.#server
    const close = server.close.bind(server)
    server.close = (callback?: (error?: Error) => void) => {
      this.release()
      this.#stopped()
      return close((error?: Error) => {
        const notListening =
          (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SERVER_NOT_RUNNING'
        callback?.(notListening ? undefined : error)
      })
    }
  }
}

/** Node has it from 22.13 on; the types we build with do not. */
type BlockingServer = Server & { readonly blockList?: BlockList }

/** Whether its server would have turned it away. */
function isBlocked({ blockList }: BlockingServer, socket: Socket): boolean {
  const { remoteAddress, remoteFamily } = socket
  if (!blockList || remoteAddress === undefined) return false
  return blockList.check(remoteAddress, remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4')
}
