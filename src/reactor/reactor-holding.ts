import { errorOfStatus, HoldfastError, status } from '../errors.js'
import { HeldStream, type CloseDetail } from '../held-stream.js'
import { announceEnd, type Holding, type Registration, type SocketHome } from '../holding.js'
import type { ResolvedTarget } from '../http2/target.js'
import type { StreamManager } from '../manager.js'
import { scratch } from '../memory.js'
import { native } from '../native.js'
import { EventsSocket } from '../socket.js'
import { readInfo, streamKinds, type CloseReason } from '../stream-info.js'
import type { StreamUid } from '../uid.js'
import { callUser } from '../uncaught.js'
import type { ReactorRequest } from './reactor-request.js'
import type { ReactorRequests } from './reactor-requests.js'
import { ReactorSession } from './reactor-session.js'
import type { RequestTable } from './request-table.js'
import { sessionOf, SessionTable } from './session-table.js'
import { http2Code } from '../http2-codes.js'
import { closeCode } from '../websocket/close-codes.js'

interface ReactorTarget extends ResolvedTarget {
  readonly raw: ReactorRequest
}

const kNoHandle = -1

/**
 * Streams of requests that live on reactors. A reactor registers them, and un-registers them by
 * itself; this thread has their JavaScript.
 */
export class ReactorHolding implements Holding<ReactorTarget>, SocketHome {
  readonly #manager: StreamManager
  readonly #table: RequestTable
  readonly #requests: ReactorRequests
  readonly #flushSoon: () => void
  readonly #held = new Map<StreamUid, HeldStream>()
  readonly #sockets = new SessionTable()
  #isClosing = false

  constructor(
    manager: StreamManager,
    table: RequestTable,
    requests: ReactorRequests,
    flushSoon: () => void,
  ) {
    this.#manager = manager
    this.#table = table
    this.#requests = requests
    this.#flushSoon = flushSoon
  }

  get(uid: StreamUid): HeldStream | undefined {
    return this.#held.get(uid)
  }

  heldOn({ raw }: ReactorTarget): HeldStream | undefined {
    return raw.held
  }

  register(target: ReactorTarget, { kind, tagText, policy, onGap }: Registration): HeldStream {
    this.#requireOpen()
    const { raw, carrier } = target
    raw.long?.hurry()
    const uid = native.requestAdopt(
      raw.reactor,
      raw.slot,
      raw.generation,
      streamKinds.indexOf(kind),
      scratch.write(tagText),
      policy,
      onGap !== undefined,
    )
    if (uid === status.gone) {
      raw.gone = true
      throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
    }
    if (typeof uid === 'number') throw errorOfStatus(uid)
    const socket = this.#socketOf(raw, uid)
    // A listener that is told of the socket may have closed the manager.
    this.#requireOpen()
    const held = new HeldStream(uid, kNoHandle, kind, raw, carrier, socket, onGap)
    this.#held.set(uid, held)
    raw.held = held
    return held
  }

  detach(held: HeldStream): void {
    native.detach(held.uid)
    this.#flushSoon()
  }

  markClosing(held: HeldStream): void {
    native.markClosing(held.uid, false)
  }

  /** Its closing by uid is asked for on this thread: false if it is closing already. */
  noteClose(uid: StreamUid, detail: CloseDetail): boolean {
    const held = this.#held.get(uid)
    if (!held) return true
    if (held.reason) return false
    held.reason = 'close'
    held.detail = detail
    native.stopTaking(uid)
    ;(held.raw as ReactorRequest).closeNoted = true
    return true
  }

  /** A WebSocket is to be closed in its own way. */
  closeAsked(request: ReactorRequest, code: number, reason: CloseReason, text: string): void {
    const { held } = request
    if (!held || (held.reason && !request.closeNoted)) return
    request.closeNoted = false
    // A WebSocket has codes of its own (RFC 6455, section 7.4): try again later.
    if (reason === 'slow') code = closeCode.tryAgainLater
    held.reason = reason
    held.detail = { code, text }
    held.carrier.close?.(request, reason, code, text)
  }

  /** The reactor has un-registered it. */
  ended(request: ReactorRequest, reason: CloseReason, code: number, text: string): void {
    const { held } = request
    if (!held) return
    const asked = reason === 'close' || reason === 'slow'
    if (asked) held.detail ??= { code, text }
    this.#release(held, held.reason ?? held.carrier.reason(request))
  }

  /** The session has ended; what the reactor has said of its streams came before. */
  socketClosed(reactor: number, index: number, generation: number): void {
    const socket = this.#sockets.get(reactor, index, generation)
    if (socket) this.#closeSocket(socket)
  }

  idsOf(socket: EventsSocket): number[] {
    return native.reactorSocketIds(sessionOf(socket).reactor, socket.index)
  }

  closeGracefully(socket: EventsSocket): void {
    const { reactor, generation } = sessionOf(socket)
    native.reactorSocketClose(reactor, socket.index, generation)
    this.#flushSoon()
  }

  closeAll(): void {
    this.#isClosing = true
    for (const held of [...this.#held.values()]) {
      this.#release(held, 'manager')
      if (!held.carrier.ended(held.raw)) held.carrier.end(held.raw)
    }
    for (const socket of this.#sockets.all()) this.#closeSocket(socket)
    for (const request of this.#table.live()) this.#abandon(request)
  }

  #requireOpen(): void {
    if (this.#isClosing) throw new HoldfastError('ERR_HOLDFAST_CLOSED')
  }

  /** Nothing is heard of it any more, and nothing can be said to it. */
  #abandon(request: ReactorRequest): void {
    if (request.ended) request.long?.hurry()
    else this.#requests.reset(request, http2Code.refusedStream)
    request.over = { complete: false, code: http2Code.refusedStream }
    request.takenAll()
    request.sink?.closed(request.over)
  }

  #release(held: HeldStream, reason: CloseReason): void {
    // What listens to the end of another may have closed the manager.
    if (!held.live) return
    held.live = false
    this.#held.delete(held.uid)
    ;(held.raw as ReactorRequest).held = undefined
    announceEnd(this.#manager, held, reason)
  }

  #socketOf(request: ReactorRequest, uid: StreamUid): EventsSocket {
    const { reactor, socket: index, socketGeneration: generation } = request
    const existing = this.#sockets.get(reactor, index, generation)
    if (existing) return existing
    const { address, port } = native.find(uid, false) === status.ok ? readInfo(0) : kUnknown
    const worker = Number(uid >> 48n)
    const session = new ReactorSession(worker, address, port, reactor, generation)
    const socket = new EventsSocket(this.#manager, this, session, index, true)
    this.#sockets.put(socket)
    // The stream is registered: what a listener throws must not undo that.
    callUser(() => this.#manager.emit('socket', socket))
    return socket
  }

  #closeSocket(socket: EventsSocket): void {
    this.#sockets.remove(socket)
    socket.markClosed()
  }
}

const kUnknown = { address: '', port: 0 }
