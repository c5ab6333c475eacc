import { AsyncResource } from 'node:async_hooks'
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { native } from '../native.js'
import type { EventsSocket } from '../socket.js'
import { descriptorOf } from './descriptor.js'

interface Watched {
  /** Requests that came with a body, while they are open; made when the first comes. */
  bodies: Set<ServerHttp2Stream> | undefined
  /** When the last PING was sent, or answered, in ms of the monotonic clock. */
  pingAt: number
  pingOutstanding: boolean
}

const kWatched = Symbol('holdfast.watched')
type WatchedSession = Http2Session & { [kWatched]?: Watched }

/** A timer that begins in a handler's call must not keep that handler's async context. */
const outside = new AsyncResource('holdfast')

/** How often to look again at a session whose peer has gone, in ms: from, to. */
const kFirstCheckMs = 10
const kLastCheckMs = 500
/** How long unread bytes may stay the same before nobody can be reading them, in ms. */
const kStalledMs = 1000

/**
 * Ends sessions whose peer is gone. node:http2 alone does not: after some protocol errors it sends
 * GOAWAY and reports nothing more; if the peer leaves, the socket stays in CLOSE-WAIT; if it stays,
 * writes pile up. And where it does see the peer's FIN, it drops request bodies that nobody has read
 * yet. So the socket is made half-open and watched for the peer's hang-up, and each session is pinged.
 */
export class SessionWatch {
  readonly #intervalMs: number
  readonly #timeoutMs: number
  readonly #sessions = new Map<EventsSocket, Watched>()
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number, timeoutMs: number) {
    this.#intervalMs = intervalMs
    this.#timeoutMs = timeoutMs
  }

  add(socket: EventsSocket): void {
    const session = sessionOf(socket)
    if (!session) return
    const watched: Watched = {
      bodies: undefined,
      pingAt: performance.now(),
      pingOutstanding: false,
    }
    this.#sessions.set(socket, watched)
    const fd = descriptorOf(session.socket)
    if (fd !== undefined && native.watchSocket(socket.index, fd) === 0) {
      // From here a FIN is ours to answer; a descriptor that cannot be watched leaves it to node.
      session.socket.allowHalfOpen = true
      ;(session as WatchedSession)[kWatched] = watched
      session.on('stream', noteBody)
    }
    if (this.#intervalMs === 0) return
    const step = Math.max(10, Math.min(this.#intervalMs, this.#timeoutMs) / 4)
    this.#timer ??= outside.runInAsyncScope(() => setInterval(() => this.#pingAll(), step).unref())
  }

  remove(socket: EventsSocket): void {
    const session = sessionOf(socket)
    if (!session || !this.#sessions.delete(socket)) return
    const fd = session.destroyed ? undefined : descriptorOf(session.socket)
    // Once closed it forgets itself, and its number may be another socket's.
    if (fd !== undefined) {
      native.forgetSocket(fd)
      session.socket.allowHalfOpen = false
    }
    if (this.#sessions.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /**
   * The peer closed its side: a hint, not a verdict, for request bytes may lie unread before it, in
   * the system or in a stream whose handler is slow. The session ends when none are left, or when
   * those in the system stay as they are: then node has given the session up and reads no more.
   */
  hangup(socket: EventsSocket): void {
    let againMs = kFirstCheckMs
    let unreadBytes = -1
    let unreadSince = 0
    const check = (): void => {
      const session = sessionOf(socket)
      const watched = this.#sessions.get(socket)
      if (!session || !watched || session.destroyed) return
      const now = performance.now()
      const unread = native.unreadBytes(descriptorOf(session.socket) ?? -1)
      if (unread !== unreadBytes) {
        unreadBytes = unread
        unreadSince = now
      }
      const moving = unread > 0 && now - unreadSince < kStalledMs
      // A stream registered as the session's first came before its body could be noted.
      const registered = socket.heldStreams().map(({ raw }) => raw as ServerHttp2Stream)
      if (!moving && ![...(watched.bodies ?? []), ...registered].some(isUnread)) {
        session.destroy()
        return
      }
      setTimeout(check, againMs).unref()
      againMs = Math.min(againMs * 2, kLastCheckMs)
    }
    check()
  }

  #pingAll(): void {
    const now = performance.now()
    for (const [socket, watched] of this.#sessions) {
      const session = sessionOf(socket)!
      if (session.destroyed) continue
      if (watched.pingOutstanding) {
        if (now - watched.pingAt >= this.#timeoutMs) this.#giveUp(session, watched)
      } else if (now - watched.pingAt >= this.#intervalMs) {
        watched.pingAt = now
        watched.pingOutstanding = session.ping(() => {
          watched.pingOutstanding = false
          watched.pingAt = performance.now()
        })
      }
    }
  }

  /** Unless the answer lies in the socket, unread, as this thread was busy: what came is read first. */
  #giveUp(session: Http2Session, watched: Watched): void {
    setImmediate(() => {
      if (watched.pingOutstanding && !session.destroyed) session.destroy()
    })
  }
}

/** Shared by all sessions, so that one costs no closure. */
function noteBody(
  this: WatchedSession,
  stream: ServerHttp2Stream,
  _headers: object,
  flags: number,
): void {
  const watched = this[kWatched]
  if (!watched || (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) return
  const bodies = (watched.bodies ??= new Set())
  bodies.add(stream)
  stream.once('close', () => bodies.delete(stream))
}

/** Whether its handler has yet to be given bytes, or the end, that the peer did send. */
function isUnread(stream: ServerHttp2Stream): boolean {
  if (stream.destroyed || stream.readableEnded || stream.endAfterHeaders) return false
  return (
    stream.readableLength > 0 ||
    stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE
  )
}

export function sessionOf(socket: EventsSocket): Http2Session | undefined {
  return 'ping' in socket.owner ? socket.owner : undefined
}

/** The address of the socket under a session or stream; empty if there is none. */
export function peerOf(owner: Http2Session | object): { address: string; port: number } {
  const socket = ('ping' in owner ? owner.socket : owner) as Partial<Socket> | undefined
  return { address: socket?.remoteAddress ?? '', port: socket?.remotePort ?? 0 }
}
