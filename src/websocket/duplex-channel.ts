import type { Duplex } from 'node:stream'
import type { Carrier } from '../carrier.js'
import type { Channel, ChannelEvents } from './channel.js'

const kEvents = Symbol('holdfast.channelEvents')
type Raw = Duplex & { [kEvents]: ChannelEvents }

const kNoError = 0

/** A stream of node:http2, or the socket of an HTTP/1.1 Upgrade. */
export class DuplexChannel implements Channel {
  readonly raw: Duplex
  readonly carrier: Carrier

  constructor(raw: Duplex, carrier: Carrier) {
    this.raw = raw
    this.carrier = carrier
  }

  get duplex(): Duplex {
    return this.raw
  }

  get isClosed(): boolean {
    return this.raw.destroyed || this.raw.closed
  }

  open(events: ChannelEvents): void {
    ;(this.raw as Raw)[kEvents] = events
    this.raw.on('data', onData).on('end', onEnd).on('close', onClose)
  }

  pause(): void {
    this.raw.pause()
  }

  resume(): void {
    this.raw.resume()
  }

  resetAfter(ms: number, code: number): void {
    const timer = setTimeout(() => this.carrier.reset(this.raw, code), ms).unref()
    this.raw.once('close', () => clearTimeout(timer))
  }

  linger(ms: number): void {
    this.raw.once('finish', () => this.resetAfter(ms, kNoError))
  }
}

// All streams share these, so one costs no closure.

function onData(this: Raw, bytes: Buffer): void {
  this[kEvents].handleData(bytes)
}

function onEnd(this: Raw): void {
  this[kEvents].handleEnd()
}

function onClose(this: Raw): void {
  this[kEvents].handleClose()
}
