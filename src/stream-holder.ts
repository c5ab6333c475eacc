import { HoldfastError } from './errors.js'
import type { HeldStream } from './held-stream.js'
import type { Holding } from './holding.js'
import type { NodeHolding } from './http2/node-holding.js'
import type { ResolvedTarget } from './http2/target.js'
import type { StreamManager } from './manager.js'
import type { ReactorHolding } from './reactor/reactor-holding.js'
import { ReactorRequest } from './reactor/reactor-request.js'
import { checkSlowReader, policyIndex, type SlowReaderOptions } from './slow-policy.js'
import type { CloseReason, StreamKind } from './stream-info.js'
import { encodeTags } from './tags.js'
import { callUser } from './uncaught.js'

export interface HoldOptions extends SlowReaderOptions {
  tags?: readonly string[] | undefined
}

/** Holds the streams that this thread handles: from registering to the one un-register on every way out. */
export class StreamHolder {
  readonly #manager: StreamManager
  readonly node: NodeHolding
  readonly reactor: ReactorHolding

  constructor(manager: StreamManager, node: NodeHolding, reactor: ReactorHolding) {
    this.#manager = manager
    this.node = node
    this.reactor = reactor
  }

  hold(target: ResolvedTarget, kind: StreamKind, options: HoldOptions = {}): HeldStream {
    const holding = this.#holdingOf(target.raw)
    if (holding.heldOn(target)?.live) throw new HoldfastError('ERR_HOLDFAST_ALREADY_REGISTERED')
    const tagText = encodeTags(options.tags)
    checkSlowReader(options)
    const { onSlow, onGap } = options
    const held = holding.register(target, { kind, tagText, policy: policyIndex(onSlow), onGap })
    const { socket } = held
    socket.add(held)
    if (target.wrapper) {
      target.wrapper.becomeHeld(held)
      held.wrapper = new WeakRef(target.wrapper)
    }
    if (socket.listenerCount('streamCreated') > 0) {
      callUser(() => socket.emit('streamCreated', this.#manager.wrap(held)))
    }
    return held
  }

  detach(held: HeldStream): void {
    if (!held.live || held.detached) return
    held.detached = true
    this.#holdingOf(held.raw).detach(held)
    if (held.socket.listenerCount('streamDetached') > 0) {
      callUser(() => held.socket.emit('streamDetached', this.#manager.wrap(held)))
    }
  }

  /** It is ending by itself, for this reason: nothing more is taken for it. */
  markClosing(held: HeldStream, reason: CloseReason): void {
    if (!held.live || held.reason) return
    held.reason = reason
    this.#holdingOf(held.raw).markClosing(held)
  }

  /** Its reader fell behind, or caught up again. */
  report(held: HeldStream, event: 'slow' | 'drain'): void {
    const wrapper = held.existingWrapper()
    if (wrapper) callUser(() => wrapper.emit(event))
  }

  /** Ends every stream and session of this thread, as its manager closes. */
  closeAll(): void {
    this.node.closeAll()
    this.reactor.closeAll()
  }

  #holdingOf(raw: unknown): Holding<ResolvedTarget> {
    return raw instanceof ReactorRequest ? this.reactor : this.node
  }
}
