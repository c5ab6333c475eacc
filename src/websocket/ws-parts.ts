import type { Duplex, Writable } from 'node:stream'
import * as ws from 'ws'

/**
 * The parts of `ws` that frame and parse, as it exports them. Its types name only the client and the
 * server, so what is used of the others stands here.
 */
interface WsParts {
  readonly Receiver: new (options: ReceiverOptions) => Receiver
  readonly Sender: SenderClass
  readonly PerMessageDeflate: new (options: DeflateSettings) => PerMessageDeflate
  readonly extension: {
    /** @throws SyntaxError */
    parse(header: string): Record<string, ExtensionOffer[] | undefined>
    format(extensions: Record<string, object>): string
  }
  readonly subprotocol: {
    /** @throws SyntaxError */
    parse(header: string): Set<string>
  }
}

export type ExtensionOffer = Record<string, (string | true)[]>
export type Extensions = Record<string, PerMessageDeflate>

export interface ReceiverOptions {
  isServer: boolean
  extensions: Extensions
  maxPayload: number
  maxFragments: number
  maxBufferedChunks: number
}

/** Emits `message` (Buffer, isBinary), `ping`, `pong` (Buffer) and `conclude` (code, Buffer). */
export type Receiver = Writable

export interface DeflateSettings {
  isServer: boolean
  maxPayload: number
  threshold?: number
  serverNoContextTakeover?: boolean
  clientNoContextTakeover?: boolean
  serverMaxWindowBits?: number
  clientMaxWindowBits?: number
  zlibDeflateOptions?: { level?: number; memLevel?: number }
}

export interface PerMessageDeflate {
  readonly params: object | null
  /** @throws when the offer is invalid, or none that can be accepted */
  accept(offers: ExtensionOffer[]): object
  cleanup(): void
}

interface FrameOptions {
  opcode: number
  fin: boolean
  mask: boolean
  rsv1: boolean
}

type Written = (error?: Error | null) => void

/** Writes to the socket in the order of its calls, also while it compresses. */
export interface Sender {
  send(
    data: Buffer,
    options: { binary: boolean; compress: boolean; fin: boolean; mask: boolean },
    written?: Written,
  ): void
  ping(data: Buffer, mask: boolean, written?: Written): void
  pong(data: Buffer, mask: boolean, written?: Written): void
  close(code: number | undefined, data: string, mask: boolean, written?: Written): void
}

interface SenderClass {
  new (socket: Duplex, extensions: Extensions): Sender
  frame(data: Buffer, options: FrameOptions): Buffer[]
}

export const { Receiver, Sender, PerMessageDeflate, extension, subprotocol } =
  ws as unknown as WsParts

export const kDeflateExtension = 'permessage-deflate'
