import type { Http2Server, Http2Session } from 'node:http2'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ServerResponse } from 'node:http'
import { errorOfStatus, HoldfastError } from '../errors.js'
import { HeldStream } from '../held-stream.js'
import { announceEnd, type Holding, type Registration, type SocketHome } from '../holding.js'
import type { Expiry } from '../inbox.js'
import type { StreamManager } from '../manager.js'
import { scratch } from '../memory.js'
import { native } from '../native.js'
import { EventsSocket } from '../socket.js'
import { closeReasons, streamKinds, type CloseReason } from '../stream-info.js'
import type { StreamTable } from '../stream-table.js'
import { closeCode, isReset } from '../websocket/close-codes.js'
import { isPlaced } from './accept.js'
import { reportActivity } from './activity.js'
import { keepLastEventIds } from './last-event-id.js'
import { peerOf, sessionOf, SessionWatch } from './session-watch.js'
import type { NodeTarget } from './target.js'
import { http2Code } from '../http2-codes.js'
import { callUser } from '../uncaught.js'

const kHeld = Symbol('holdfast.held')
const kSocket = Symbol('holdfast.socket')

type Raw = (Duplex | ServerResponse) & { [kHeld]?: HeldStream | undefined }
type Owner = (Http2Session | Duplex) & { [kSocket]?: EventsSocket | undefined }

export interface NodeHoldingSettings {
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  readonly reportActivity: boolean
}

/** Streams of node's own servers, and Duplexes: this thread is a worker, and they are its own. */
export class NodeHolding implements Holding<NodeTarget>, SocketHome {
  readonly #manager: StreamManager
  readonly #table: StreamTable
  readonly #settings: NodeHoldingSettings
  readonly #watch: SessionWatch
  readonly #sockets: (EventsSocket | undefined)[] = []
  /** What listens to an end may come with another stream, which nobody would end. */
  #isClosing = false

  constructor(manager: StreamManager, table: StreamTable, settings: NodeHoldingSettings) {
    this.#manager = manager
    this.#table = table
    this.#settings = settings
    this.#watch = new SessionWatch(settings.pingIntervalMs, settings.pingTimeoutMs)
  }

  heldOn(target: NodeTarget): HeldStream | undefined {
    return (target.raw as Raw)[kHeld]
  }

  register(target: NodeTarget, { kind, tagText, policy, onGap }: Registration): HeldStream {
    this.#requireOpen()
    const raw = target.raw as Raw
    const socket = this.#socketOf(target.owner)
    // A listener that is told of the socket may have closed the manager.
    this.#requireOpen()
    const handle = this.#table.reserve()
    const tagBytes = scratch.write(tagText)
    const kindIndex = streamKinds.indexOf(kind)
    const marksGaps = onGap !== undefined
    const uid = native.create(socket.index, kindIndex, handle, tagBytes, policy, marksGaps)
    if (typeof uid === 'number') {
      this.#table.free(handle)
      this.#dropIfUnused(socket)
      throw errorOfStatus(uid)
    }
    const held = new HeldStream(uid, handle, kind, raw, target.carrier, socket, onGap)
    this.#table.put(held)
    raw[kHeld] = held
    // A peer's reset must never become an uncaught error.
    raw.on('error', ignore)
    raw.on('close', this.#onRawClose)
    if (this.#settings.reportActivity) reportActivity(raw, () => native.touch(uid))
    return held
  }

  detach(held: HeldStream): void {
    native.detach(held.uid)
  }

  markClosing(held: HeldStream): void {
    native.markClosing(held.uid, false)
  }

  /** Nothing waits any more before the end that it was told to come to. */
  finishClosing(handle: number): void {
    const held = this.#table.get(handle)
    if (held?.reason) finish(held, held.reason, held.detail?.code ?? 0)
  }

  /** False if it is closing already, or gone. */
  closeByHandle(
    handle: number,
    code: number,
    text: string,
    reason: CloseReason = 'close',
  ): boolean {
    const held = this.#table.get(handle)
    if (!held || held.reason) return false
    // A WebSocket has codes of its own (RFC 6455, section 7.4): try again later.
    if (reason === 'slow' && held.kind === 'websocket') code = closeCode.tryAgainLater
    held.detail = { code, text }
    this.#close(held, reason, code)
    return true
  }

  expire(handle: number, expiry: Expiry): void {
    const held = this.#table.get(handle)
    if (!held) return
    if (expiry === 'stuck') held.carrier.reset(held.raw, http2Code.cancel)
    else if (!held.reason) this.#close(held, expiry, 0)
  }

  hangup(index: number): void {
    const socket = this.#sockets[index]
    if (socket) this.#watch.hangup(socket)
  }

  idsOf(socket: EventsSocket): number[] {
    return native.socketIds(socket.index)
  }

  closeGracefully(socket: EventsSocket): void {
    const session = sessionOf(socket)
    if (session) session.close()
    else for (const held of socket.heldStreams()) this.closeByHandle(held.handle, 0, '')
  }

  /** Each HTTP/2 session of the server becomes an events socket, with or without streams. */
  adoptSessionsOf(server: Server): void {
    const http2 = server as unknown as Http2Server
    http2.on('session', (session) => {
      if (!this.#manager.isOpen) return
      this.#socketOf(session)
      keepLastEventIds(session)
    })
  }

  closeAll(): void {
    this.#isClosing = true
    for (const held of [...this.#table.live()]) {
      this.#release(held, 'manager')
      // Also if it takes no more bytes: node ends the answer to HEAD before it has begun.
      held.carrier.end(held.raw)
    }
    for (const socket of this.#sockets) {
      if (!socket) continue
      const session = sessionOf(socket)
      this.#closeSocket(socket)
      if (session && socket.placed && !session.destroyed) session.close()
    }
  }

  #requireOpen(): void {
    if (this.#isClosing) throw new HoldfastError('ERR_HOLDFAST_CLOSED')
  }

  #close(held: HeldStream, reason: CloseReason, code: number): void {
    held.reason = reason
    const graceful = code === 0 || (held.kind === 'websocket' && !isReset(code))
    if (!native.markClosing(held.uid, graceful)) finish(held, reason, code)
  }

  /** Shared by all streams, so that one costs no closure. */
  readonly #onRawClose = (() => {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const holding = this
    return function (this: Raw): void {
      const held = this[kHeld]
      if (!held?.live) return
      const sessionDied = sessionOf(held.socket)?.destroyed
      holding.#release(
        held,
        held.reason ?? (sessionDied ? 'session' : held.carrier.reason(held.raw)),
      )
    }
  })()

  /** The one un-register: whatever ended the stream, it comes through here, once. */
  #release(held: HeldStream, reason: CloseReason): void {
    // What listens to the end of another may have ended it.
    if (!held.live) return
    held.live = false
    for (const abandoned of held.awaited?.values() ?? []) abandoned()
    held.awaited?.clear()
    const raw = held.raw as Raw
    raw.off('close', this.#onRawClose)
    raw[kHeld] = undefined
    native.destroy(held.uid, closeReasons.indexOf(reason))
    this.#table.free(held.handle)
    announceEnd(this.#manager, held, reason)
    this.#dropIfUnused(held.socket)
  }

  #socketOf(owner: Owner): EventsSocket {
    const existing = owner[kSocket]
    if (existing?.live) return existing
    const { address, port } = peerOf(owner)
    const below = 'ping' in owner ? owner.socket : owner
    const placed = isPlaced(below)
    const index = native.openSocket(address, port, placed)
    if (index < 0) throw errorOfStatus(index)
    const socket = new EventsSocket(this.#manager, this, owner, index, placed)
    this.#sockets[index] = socket
    owner[kSocket] = socket
    owner.on('close', this.#onOwnerClose)
    this.#watch.add(socket)
    // The stream is being registered: what a listener throws must not stop that.
    callUser(() => this.#manager.emit('socket', socket))
    return socket
  }

  readonly #onOwnerClose = (() => {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const holding = this
    return function (this: Owner): void {
      const socket = this[kSocket]
      if (!socket?.live) return
      for (const held of socket.heldStreams()) {
        const { reason, raw, carrier } = held
        holding.#release(held, reason ?? (raw === this ? carrier.reason(raw) : 'session'))
      }
      if (socket.live) holding.#closeSocket(socket)
    }
  })()

  /** A connection that is no session is an events socket only while it carries a stream. */
  #dropIfUnused(socket: EventsSocket): void {
    if (socket.live && socket.streamCount === 0 && !sessionOf(socket)) this.#closeSocket(socket)
  }

  #closeSocket(socket: EventsSocket): void {
    const owner = socket.owner as Owner
    this.#watch.remove(socket)
    this.#sockets[socket.index] = undefined
    owner[kSocket] = undefined
    owner.off('close', this.#onOwnerClose)
    native.closeSocket(socket.index, socket.placed)
    socket.markClosed()
  }
}

function finish({ carrier, raw, detail }: HeldStream, reason: CloseReason, code: number): void {
  if (carrier.close) carrier.close(raw, reason, code, detail?.text ?? '')
  else if (code === 0) carrier.end(raw)
  else carrier.reset(raw, code)
}

function ignore(): void {}
