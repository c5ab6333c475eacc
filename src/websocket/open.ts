import type { HeldStream } from '../held-stream.js'
import { resolveWebSocket } from '../http2/websocket-target.js'
import type { StreamManager } from '../manager.js'
import type { StreamHolder } from '../stream-holder.js'
import { callUser } from '../uncaught.js'
import { WebSocketConnection } from './connection.js'
import { agree } from './handshake.js'
import { checkWebSocketOptions, type WebSocketOptions } from './options.js'
import { WebSocketStream } from './websocket-stream.js'

/** Answers the request and takes what becomes of it under management. */
export function openWebSocket(
  holder: StreamHolder,
  target: unknown,
  second: unknown,
  options: WebSocketOptions,
): HeldStream | undefined {
  const checked = checkWebSocketOptions(options)
  const resolved = resolveWebSocket(target, second)
  if (!resolved) return undefined
  const agreement = agree(resolved.request, checked)
  if ('status' in agreement) {
    resolved.refuse(agreement)
    return undefined
  }
  const connection = new WebSocketConnection(
    resolved.channel,
    agreement,
    checked.maxMessageBytes,
    () => resolved.accept(agreement.responseHeaders),
  )
  const held = holder.hold({ ...resolved.target, carrier: connection }, 'websocket', options)
  const stream = (): WebSocketStream | undefined =>
    held.existingWrapper() as WebSocketStream | undefined
  connection.open({
    message(data, isBinary) {
      const listening = stream()
      if (listening && listening.listenerCount('message') > 0) {
        const message = isBinary ? data : data.toString()
        callUser(() => listening.emit('message', message, { binary: isBinary }))
      }
      const { face } = connection
      if (face) callUser(() => face.handleMessage(data, isBinary))
    },
    ping(data) {
      callUser(() => stream()?.emit('ping', data))
      callUser(() => connection.face?.emit('ping', data))
    },
    pong(data) {
      callUser(() => stream()?.emit('pong', data))
      callUser(() => connection.face?.emit('pong', data))
    },
    error: (error) => callUser(() => connection.face?.handleError(error)),
    closing: (reason) => holder.markClosing(held, reason),
  })
  return held
}

/** The stream's object, if it is a WebSocket. */
export function wrapWebSocket(
  manager: StreamManager,
  held: HeldStream,
): WebSocketStream | undefined {
  const connection: unknown = held.carrier
  if (!(connection instanceof WebSocketConnection)) return undefined
  return new WebSocketStream(manager, held, connection)
}
