import type { Http2Server, Http2Session } from 'node:http2'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ServerResponse } from 'node:http'
import type { Carrier } from './carrier.js'
import { errorOfStatus, HoldfastError } from './errors.js'
import { HeldStream } from './held-stream.js'
import { isPlaced } from './http2/accept.js'
import { reportActivity } from './http2/activity.js'
import { peerOf, sessionOf, SessionWatch } from './http2/session-watch.js'
import type { ResolvedTarget } from './http2/target.js'
import type { Expiry } from './inbox.js'
import type { StreamManager } from './manager.js'
import { checkSlowReader, policyIndex, type SlowReaderOptions } from './slow-policy.js'
import { scratch } from './memory.js'
import { native } from './native.js'
import { EventsSocket } from './socket.js'
import { closeReasons, streamKinds, type CloseReason, type StreamKind } from './stream-info.js'
import type { StreamTable } from './stream-table.js'
import { encodeTags } from './tags.js'
import { callUser } from './uncaught.js'

const kHeld = Symbol('holdfast.held')
const kSocket = Symbol('holdfast.socket')

type Raw = (Duplex | ServerResponse) & { [kHeld]?: HeldStream | undefined }
type Owner = (Http2Session | Duplex) & { [kSocket]?: EventsSocket | undefined }

export interface HolderSettings {
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  readonly reportActivity: boolean
}

/** RFC 9113, section 7: no error of anybody's; the stream is just no longer wanted. */
const kCancel = 8
const kTryAgainLater = 1013

export interface HoldOptions extends SlowReaderOptions {
  tags?: readonly string[] | undefined
}

/** Holds this thread's streams and sockets: from registering to the one un-register on every way out. */
export class StreamHolder {
  readonly #manager: StreamManager
  readonly #table: StreamTable
  readonly #settings: HolderSettings
  readonly #watch: SessionWatch
  readonly #sockets: (EventsSocket | undefined)[] = []

  constructor(manager: StreamManager, table: StreamTable, settings: HolderSettings) {
    this.#manager = manager
    this.#table = table
    this.#settings = settings
    this.#watch = new SessionWatch(settings.pingIntervalMs, settings.pingTimeoutMs)
  }

  hold(target: ResolvedTarget, kind: StreamKind, options: HoldOptions = {}): HeldStream {
    const raw = target.raw as Raw
    if (raw[kHeld]?.live) throw new HoldfastError('ERR_HOLDFAST_ALREADY_REGISTERED')
    const tagText = encodeTags(options.tags)
    checkSlowReader(options)
    const policy = policyIndex(options.onSlow)
    const { onGap } = options
    const socket = this.#socketOf(target.owner)
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
    const carrier = target.carrier as Carrier<Duplex | ServerResponse>
    const held = new HeldStream(uid, handle, kind, raw, carrier, socket, policy, onGap)
    this.#table.put(held)
    socket.add(held)
    raw[kHeld] = held
    if (target.wrapper) {
      target.wrapper.becomeHeld(held)
      held.wrapper = new WeakRef(target.wrapper)
    }
    // A peer's reset must never become an uncaught error.
    raw.on('error', ignore)
    raw.on('close', this.#onRawClose)
    if (this.#settings.reportActivity) reportActivity(raw, () => native.touch(uid))
    if (socket.listenerCount('streamCreated') > 0) {
      socket.emit('streamCreated', this.#manager.wrap(held))
    }
    return held
  }

  detach(held: HeldStream): void {
    if (!held.live || this.#manager.infoOf(held)?.detached !== false) return
    native.detach(held.uid)
    if (held.socket.listenerCount('streamDetached') > 0) {
      held.socket.emit('streamDetached', this.#manager.wrap(held))
    }
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
    if (reason === 'slow' && held.kind === 'websocket') code = kTryAgainLater
    held.detail = { code, text }
    this.#close(held, reason, code)
    return true
  }

  /** It is ending by itself, for this reason: nothing more is taken for it. */
  markClosing(held: HeldStream, reason: CloseReason): void {
    if (!held.live || held.reason) return
    held.reason = reason
    native.markClosing(held.uid)
  }

  /** Its reader fell behind, or caught up again. */
  reportSlow(held: HeldStream): void {
    const wrapper = held.existingWrapper()
    if (wrapper) callUser(() => wrapper.emit(held.slow ? 'slow' : 'drain'))
  }

  expire(handle: number, expiry: Expiry): void {
    const held = this.#table.get(handle)
    if (!held) return
    if (expiry === 'stuck') held.carrier.reset(held.raw, kCancel)
    else if (!held.reason) this.#close(held, expiry, 0)
  }

  hangup(index: number): void {
    const socket = this.#sockets[index]
    if (socket) this.#watch.hangup(socket)
  }

  closeSocketGracefully(socket: EventsSocket): void {
    const session = sessionOf(socket)
    if (session) session.close()
    else for (const held of socket.heldStreams()) this.closeByHandle(held.handle, 0, '')
  }

  /** Each HTTP/2 session of the server becomes an events socket, with or without streams. */
  adoptSessionsOf(server: Server): void {
    const http2 = server as unknown as Http2Server
    http2.on('session', (session) => {
      if (this.#manager.isOpen) this.#socketOf(session)
    })
  }

  /** Ends every stream and session of this thread, as its manager closes. */
  closeAll(): void {
    for (const held of [...this.#table.live()]) {
      this.#release(held, 'manager')
      if (!held.carrier.ended(held.raw)) held.carrier.end(held.raw)
    }
    for (const socket of this.#sockets) {
      if (!socket) continue
      const session = sessionOf(socket)
      this.#closeSocket(socket)
      if (session && socket.placed && !session.destroyed) session.close()
    }
  }

  #close(held: HeldStream, reason: CloseReason, code: number): void {
    held.reason = reason
    native.markClosing(held.uid)
    const { carrier, raw, detail } = held
    if (carrier.close) carrier.close(raw, reason, code, detail?.text ?? '')
    else if (code === 0) carrier.end(raw)
    else carrier.reset(raw, code)
  }

  /** Shared by all streams, so that one costs no closure. */
  readonly #onRawClose = (() => {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const holder = this
    return function (this: Raw): void {
      const held = this[kHeld]
      if (!held?.live) return
      const sessionDied = sessionOf(held.socket)?.destroyed
      holder.#release(
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
    held.raw.off('close', this.#onRawClose)
    ;(held.raw as Raw)[kHeld] = undefined
    native.destroy(held.uid, closeReasons.indexOf(reason))
    this.#table.free(held.handle)
    const { socket } = held
    socket.remove(held)
    const { code, text } = held.carrier.farewell?.() ?? held.detail ?? { code: 0, text: '' }
    const close = { reason, code, text }
    const wrapper = held.existingWrapper()
    held.wrapper = undefined
    if (wrapper) callUser(() => wrapper.emit('close', close))
    held.carrier.released?.(close)
    if (socket.listenerCount('streamDestroyed') > 0) {
      const destroyed = wrapper ?? this.#manager.wrap(held)
      callUser(() => socket.emit('streamDestroyed', destroyed, close))
    }
    this.#dropIfUnused(socket)
  }

  #socketOf(owner: Owner): EventsSocket {
    const existing = owner[kSocket]
    if (existing?.live) return existing
    const { address, port } = peerOf(owner)
    const below = 'ping' in owner ? owner.socket : owner
    const placed = isPlaced(below)
    const index = native.openSocket(address, port, placed)
    if (index < 0) throw errorOfStatus(index)
    const socket = new EventsSocket(this.#manager, owner, index, placed)
    this.#sockets[index] = socket
    owner[kSocket] = socket
    owner.on('close', this.#onOwnerClose)
    this.#watch.add(socket)
    this.#manager.emit('socket', socket)
    return socket
  }

  readonly #onOwnerClose = (() => {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const holder = this
    return function (this: Owner): void {
      const socket = this[kSocket]
      if (!socket?.live) return
      for (const held of socket.heldStreams()) holder.#release(held, held.reason ?? 'session')
      if (socket.live) holder.#closeSocket(socket)
    }
  })()

  /** A connection that is no session is an events socket only while it carries a stream. */
  #dropIfUnused(socket: EventsSocket): void {
    if (socket.live && socket.streamCount === 0 && !sessionOf(socket)) this.#closeSocket(socket)
  }

  #closeSocket(socket: EventsSocket): void {
    this.#watch.remove(socket)
    this.#sockets[socket.index] = undefined
    ;(socket.owner as Owner)[kSocket] = undefined
    socket.owner.off('close', this.#onOwnerClose)
    native.closeSocket(socket.index, socket.placed)
    socket.markClosed()
  }
}

function ignore(): void {}
