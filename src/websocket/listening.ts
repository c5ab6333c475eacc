import type { Duplex } from 'node:stream'
import type { WebSocketConnection } from './connection.js'
import type { Receiver } from './ws-parts.js'

const kConnection = Symbol('holdfast.connection')
type Of<T> = T & { [kConnection]: WebSocketConnection }

/** Lets the connection hear of its stream and its receiver. All share these, so one costs no closure. */
export function listen(connection: WebSocketConnection, raw: Duplex, receiver: Receiver): void {
  ;(raw as Of<Duplex>)[kConnection] = connection
  ;(receiver as Of<Receiver>)[kConnection] = connection
  receiver
    .on('message', onMessage)
    .on('ping', onPing)
    .on('pong', onPong)
    .on('conclude', onConclude)
    .on('drain', onDrain)
    .on('error', onError)
  raw.on('data', onData).on('end', onEnd).on('close', onClose)
}

function onData(this: Of<Duplex>, chunk: Buffer): void {
  this[kConnection].handleData(chunk)
}

function onEnd(this: Of<Duplex>): void {
  this[kConnection].handleEnd()
}

function onClose(this: Of<Duplex>): void {
  this[kConnection].handleClose()
}

function onMessage(this: Of<Receiver>, data: Buffer, isBinary: boolean): void {
  this[kConnection].handleMessage(data, isBinary)
}

function onPing(this: Of<Receiver>, data: Buffer): void {
  this[kConnection].handlePing(data)
}

function onPong(this: Of<Receiver>, data: Buffer): void {
  this[kConnection].handlePong(data)
}

function onConclude(this: Of<Receiver>, code: number, reason: Buffer): void {
  this[kConnection].handleConclude(code, reason)
}

function onDrain(this: Of<Receiver>): void {
  this[kConnection].handleDrain()
}

function onError(this: Of<Receiver>, error: Error): void {
  this[kConnection].handleError(error)
}
