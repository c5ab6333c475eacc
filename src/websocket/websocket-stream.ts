import type { HeldStream } from '../held-stream.js'
import { HoldfastError } from '../errors.js'
import type { StreamManager } from '../manager.js'
import { ManagedStream, type ManagedStreamEvents } from '../stream.js'
import type { WebSocketConnection } from './connection.js'
import { WebSocketFace } from './face.js'

export interface MessageInfo {
  readonly binary: boolean
}

export interface WebSocketStreamEvents extends ManagedStreamEvents {
  /** A text as a string, a binary message as a Buffer. */
  message: [string | Buffer, MessageInfo]
  /** It was answered already. */
  ping: [Buffer]
  pong: [Buffer]
}

const kMaxPingBytes = 125

/** A WebSocket, on the thread that holds it. */
export class WebSocketStream extends ManagedStream<WebSocketStreamEvents> {
  readonly #connection: WebSocketConnection

  /** @internal WebSockets are made by `manager.websocket`. */
  constructor(manager: StreamManager, held: HeldStream, connection: WebSocketConnection) {
    super(manager, held)
    this.#connection = connection
  }

  /** The subprotocol that was chosen, or empty. */
  get protocol(): string {
    return this.#connection.agreement.protocol
  }

  /** The extensions that were negotiated, as their header names them, or empty. */
  get extensions(): string {
    return this.#connection.agreement.extensions
  }

  /**
   * Sends a ping of at most 125 bytes; false if the WebSocket is closing or closed.
   * @throws ERR_HOLDFAST_INVALID_ARGUMENT
   */
  ping(data: string | Uint8Array = ''): boolean {
    const isBytes = typeof data === 'string' || data instanceof Uint8Array
    const bytes = isBytes ? Buffer.from(data as string) : undefined
    if (!bytes || bytes.length > kMaxPingBytes) {
      throw new HoldfastError(
        'ERR_HOLDFAST_INVALID_ARGUMENT',
        `a ping holds a string or bytes, at most ${kMaxPingBytes}`,
      )
    }
    return this.live && this.#connection.ping(bytes)
  }

  /** Takes nothing more from the peer, beyond what has come already, until `resume`. */
  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  /** The same WebSocket for libraries that expect a `ws` object; always the same one. */
  toWebSocket(): WebSocketFace {
    return (this.#connection.face ??= new WebSocketFace(this, this.#connection))
  }
}
