import type { WebSocketConnection } from './connection.js'
import type { Receiver } from './ws-parts.js'

const kConnection = Symbol('holdfast.connection')
type Listening = Receiver & { [kConnection]: WebSocketConnection }

/** Lets the connection hear of its receiver. All share these, so one costs no closure. */
export function listenTo(receiver: Receiver, connection: WebSocketConnection): void {
  ;(receiver as Listening)[kConnection] = connection
  receiver
    .on('message', onMessage)
    .on('ping', onPing)
    .on('pong', onPong)
    .on('conclude', onConclude)
    .on('drain', onDrain)
    .on('error', onError)
}

function onMessage(this: Listening, data: Buffer, isBinary: boolean): void {
  this[kConnection].handleMessage(data, isBinary)
}

function onPing(this: Listening, data: Buffer): void {
  this[kConnection].handlePing(data)
}

function onPong(this: Listening, data: Buffer): void {
  this[kConnection].handlePong(data)
}

function onConclude(this: Listening, code: number, reason: Buffer): void {
  this[kConnection].handleConclude(code, reason)
}

function onDrain(this: Listening): void {
  this[kConnection].handleDrain()
}

function onError(this: Listening, error: Error): void {
  this[kConnection].handleError(error)
}
