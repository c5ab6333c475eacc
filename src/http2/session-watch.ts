import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { native } from '../native.js'
import type { EventsSocket } from '../socket.js'
import { descriptorOf } from './descriptor.js'

interface Ping {
  /** When it was sent, or when its answer came, in ms of the monotonic clock. */
  at: number
  outstanding: boolean
}

/** How long node may take to notice for itself that a peer has gone, in ms. */
const kGraceMs = 1000

/**
 * Finds sessions whose peer is gone but which node:http2 keeps. After some protocol errors it sends
 * GOAWAY and reports nothing more: if the peer leaves, the socket stays in CLOSE-WAIT; if it stays,
 * writes pile up. So the socket is watched for the peer's hang-up, and each session is pinged.
 */
export class SessionWatch {
  readonly #intervalMs: number
  readonly #timeoutMs: number
  readonly #pings = new Map<EventsSocket, Ping>()
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number, timeoutMs: number) {
    this.#intervalMs = intervalMs
    this.#timeoutMs = timeoutMs
  }

  add(socket: EventsSocket): void {
    const session = sessionOf(socket)
    if (!session) return
    const fd = descriptorOf(session.socket)
    // A descriptor that cannot be watched leaves the PING.
    if (fd !== undefined) native.watchSocket(socket.index, fd)
    if (this.#intervalMs === 0) return
    this.#pings.set(socket, { at: performance.now(), outstanding: false })
    const step = Math.max(10, Math.min(this.#intervalMs, this.#timeoutMs) / 4)
    this.#timer ??= setInterval(() => this.#pingAll(), step).unref()
  }

  remove(socket: EventsSocket): void {
    this.#pings.delete(socket)
    const session = sessionOf(socket)
    const fd = session?.destroyed === false ? descriptorOf(session.socket) : undefined
    // Once closed it forgets itself, and its number may be another socket's.
    if (fd !== undefined) native.forgetSocket(fd)
    if (this.#pings.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Forgets the sockets that stay open when the manager closes. */
  stop(): void {
    for (const socket of [...this.#pings.keys()]) this.remove(socket)
  }

  /**
   * The peer closed its side: a hint, not a verdict, for request bytes may lie unread before it.
   * Only when none are left and node has not closed the session by itself is it destroyed.
   */
  hangup(socket: EventsSocket): void {
    const session = sessionOf(socket)
    const check = (): void => {
      if (!socket.live || !session || session.destroyed) return
      const fd = descriptorOf(session.socket)
      if (fd === undefined || native.unreadBytes(fd) > 0 || hasUnreadBody(socket)) {
        setTimeout(check, kGraceMs).unref()
      } else {
        session.destroy()
      }
    }
    setTimeout(check, kGraceMs).unref()
  }

  #pingAll(): void {
    const now = performance.now()
    for (const [socket, ping] of this.#pings) {
      const session = sessionOf(socket)!
      if (session.destroyed) continue
      if (ping.outstanding) {
        if (now - ping.at >= this.#timeoutMs) session.destroy()
      } else if (now - ping.at >= this.#intervalMs) {
        ping.outstanding = session.ping(() => {
          ping.outstanding = false
          ping.at = performance.now()
        })
        ping.at = now
      }
    }
  }
}

export function sessionOf(socket: EventsSocket): Http2Session | undefined {
  return 'ping' in socket.owner ? socket.owner : undefined
}

/** A registered request whose body its handler has not read to the end. */
function hasUnreadBody(socket: EventsSocket): boolean {
  return socket.heldStreams().some(({ raw }) => 'readableLength' in raw && raw.readableLength > 0)
}

/** The address of the socket under a session or stream; empty if there is none. */
export function peerOf(owner: Http2Session | object): { address: string; port: number } {
  const socket = ('ping' in owner ? (owner as Http2Session).socket : owner) as
    Partial<Socket> | undefined
  return { address: socket?.remoteAddress ?? '', port: socket?.remotePort ?? 0 }
}
