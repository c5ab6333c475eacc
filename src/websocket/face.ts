import { EventEmitter } from 'node:events'
import { HoldfastError } from '../errors.js'
import type { StreamClose } from '../stream.js'
import { callUser } from '../uncaught.js'
import { closeCode } from './close-codes.js'
import type { WebSocketConnection } from './connection.js'
import { DomListeners, type DomListener, type DomType } from './dom-listeners.js'
import type { WebSocketStream } from './websocket-stream.js'
import { http2Code } from '../http2-codes.js'

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob'
/** What `ws` takes for data: a number is sent as its text. */
export type FaceData =
  string | number | ArrayBufferLike | ArrayBufferView | readonly (ArrayBuffer | Uint8Array)[]
type Written = (error?: Error) => void

/**
 * A WebSocket stream as the `ws` package shows one, for libraries written to that. Its events are
 * those of `ws`: `message` (data, isBinary), `close` (code, reason), `ping`, `pong`, `error`.
 *
 * It differs where a budget does: what does not fit `sendBudgetBytes` is refused, not gathered. The
 * callback of `send` says so; without one, the WebSocket is closed with 1013, as its user could not
 * know that a message is missing. An `error` that nobody listens to is not thrown.
 */
export class WebSocketFace extends EventEmitter {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  readonly url = ''

  readonly #stream: WebSocketStream
  readonly #connection: WebSocketConnection
  readonly #listeners = new DomListeners(this)
  #binaryType: BinaryType = 'nodebuffer'
  #isClosed = false

  /** @internal Made by `stream.toWebSocket`. */
  constructor(stream: WebSocketStream, connection: WebSocketConnection) {
    super()
    this.#stream = stream
    this.#connection = connection
    this.#isClosed = !stream.live
  }

  /** The stream it shows. */
  get stream(): WebSocketStream {
    return this.#stream
  }

  get readyState(): 0 | 1 | 2 | 3 {
    if (this.#isClosed) return this.CLOSED
    const isClosing = this.#connection.isClosing || this.#stream.held?.reason !== undefined
    return isClosing ? this.CLOSING : this.OPEN
  }

  get bufferedAmount(): number {
    return this.#isClosed ? 0 : this.#stream.queuedBytes
  }

  get protocol(): string {
    return this.#stream.protocol
  }

  get extensions(): string {
    return this.#stream.extensions
  }

  get isPaused(): boolean {
    return this.#connection.isPaused
  }

  get binaryType(): BinaryType {
    return this.#binaryType
  }

  set binaryType(type: BinaryType) {
    if (['nodebuffer', 'arraybuffer', 'fragments', 'blob'].includes(type)) this.#binaryType = type
  }

  /** The callback is called when the socket took it, or with the error why it will not. */
  send(
    data: FaceData,
    options?: { binary?: boolean; fin?: boolean } | Written,
    cb?: Written,
  ): void {
    const written = typeof options === 'function' ? options : cb
    const { binary, fin = true } = typeof options === 'object' ? options : {}
    if (!fin) throw invalid('a message is sent whole')
    const message = typeof data === 'number' ? String(data) : data
    const bytes = typeof message === 'string' ? message : toBytes(message)
    if (this.readyState !== this.OPEN) return this.#refuse('it is not open', written)
    const sendOptions = binary === undefined ? undefined : { binary }
    if (!written) {
      if (this.#stream.send(bytes, sendOptions) === 'full') this.close(closeCode.tryAgainLater)
      return
    }
    this.#stream.sendAndWait(bytes, sendOptions).then(
      () => callUser(written),
      (error: unknown) => callUser(() => written(tookNothing(whyNot(error), error))),
    )
  }

  ping(data?: FaceData | Written, mask?: boolean | Written, cb?: Written): void {
    this.#control('ping', data, mask, cb)
  }

  pong(data?: FaceData | Written, mask?: boolean | Written, cb?: Written): void {
    this.#control('pong', data, mask, cb)
  }

  /** @throws ERR_HOLDFAST_INVALID_OPTION */
  close(code?: number, reason: string | Uint8Array = ''): void {
    if (this.readyState !== this.OPEN) return
    const text = typeof reason === 'string' ? reason : Buffer.from(reason).toString()
    this.#stream.close({ code: code ?? 0, reason: text })
  }

  terminate(): void {
    if (this.#isClosed) return
    // One that is closing already is not closed once more.
    if (!this.#stream.close({ code: http2Code.cancel })) this.#connection.terminate()
  }

  pause(): void {
    if (!this.#isClosed) this.#connection.pause()
  }

  resume(): void {
    if (!this.#isClosed) this.#connection.resume()
  }

  addEventListener(type: DomType, listener: DomListener, options?: { once?: boolean }): void {
    this.#listeners.add(type, listener, options?.once ?? false)
  }

  removeEventListener(type: DomType, listener: DomListener): void {
    this.#listeners.remove(type, listener)
  }

  get onopen(): DomListener | null {
    return this.#listeners.attribute('open')
  }
  set onopen(listener: DomListener | null) {
    this.#listeners.setAttribute('open', listener)
  }

  get onmessage(): DomListener | null {
    return this.#listeners.attribute('message')
  }
  set onmessage(listener: DomListener | null) {
    this.#listeners.setAttribute('message', listener)
  }

  get onclose(): DomListener | null {
    return this.#listeners.attribute('close')
  }
  set onclose(listener: DomListener | null) {
    this.#listeners.setAttribute('close', listener)
  }

  get onerror(): DomListener | null {
    return this.#listeners.attribute('error')
  }
  set onerror(listener: DomListener | null) {
    this.#listeners.setAttribute('error', listener)
  }

  /** @internal */
  handleMessage(data: Buffer, isBinary: boolean): void {
    this.emit('message', isBinary ? this.#asBinaryType(data) : data, isBinary)
  }

  /** @internal */
  handleError(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error)
  }

  /** @internal */
  handleClose({ code, text }: StreamClose): void {
    this.#isClosed = true
    this.emit('close', code, Buffer.from(text))
  }

  #control(
    name: 'ping' | 'pong',
    data: FaceData | Written | undefined,
    mask: boolean | Written | undefined,
    cb: Written | undefined,
  ): void {
    const written = [data, mask, cb].find((value) => typeof value === 'function')
    const payload = typeof data === 'function' || data === undefined ? '' : data
    const bytes =
      typeof payload === 'object' ? Buffer.from(toBytes(payload)) : Buffer.from(String(payload))
    if (bytes.length > 125) throw invalid(`a ${name} holds at most 125 bytes`)
    if (this.readyState !== this.OPEN) return this.#refuse('it is not open', written)
    const sent = this.#connection[name](bytes, written && (() => callUser(written)))
    if (!sent) this.#refuse('its stream has ended', written)
  }

  #refuse(why: string, written: Written | undefined): void {
    if (!written) return
    process.nextTick(written, tookNothing(why))
  }

  #asBinaryType(data: Buffer): Buffer | ArrayBuffer | Buffer[] | Blob {
    switch (this.#binaryType) {
      case 'arraybuffer':
        return new Uint8Array(data).buffer
      case 'fragments':
        return [data]
      case 'blob':
        return new Blob([new Uint8Array(data)])
      case 'nodebuffer':
        return data
    }
  }
}

function tookNothing(why: string, cause?: unknown): HoldfastError {
  const message = `the WebSocket took nothing: ${why}`
  return new HoldfastError('ERR_HOLDFAST_STREAM_DEAD', message, cause)
}

function whyNot(error: unknown): string {
  const isFull = error instanceof HoldfastError && error.code === 'ERR_HOLDFAST_FULL'
  return isFull ? 'its send budget is used up' : 'it is closing'
}

function toBytes(data: Exclude<FaceData, string | number>): Uint8Array {
  if (data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (Array.isArray(data)) return Buffer.concat(data.map((part) => toBytes(part as Uint8Array)))
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data)
  throw invalid('data must be a string, a number, or bytes')
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', message)
}
