import { Http2ServerResponse, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import { ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import type { Carrier } from '../carrier.js'
import { HoldfastError } from '../errors.js'
import { RequestStream } from '../request/request-stream.js'
import { duplexCarrier, http1Carrier } from './carriers.js'
import { resolveHttp2 } from './http2-requests.js'

/** What can be registered. */
export type StreamTarget =
  RequestStream | ServerHttp2Stream | Http2ServerResponse | ServerResponse | Duplex

/** A target, taken apart: the stream that is kept, and who carries it. */
export interface ResolvedTarget {
  readonly raw: unknown
  readonly carrier: Carrier
  readonly headersSent: boolean
  /** The object its user has already. */
  readonly wrapper?: RequestStream
}

/** One that this thread's own loop reads and writes. */
export interface NodeTarget extends ResolvedTarget {
  readonly raw: Duplex | ServerResponse
  /** An HTTP/2 session, or what stands for the socket of a stream that has none. */
  readonly owner: Http2Session | Duplex
}

export function noRequest(): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_INVALID_STREAM',
    'there is no request to answer on a Duplex',
  )
}

/** @throws ERR_HOLDFAST_INVALID_STREAM, ERR_HOLDFAST_STREAM_DEAD */
export function resolveTarget(target: unknown): ResolvedTarget {
  if (target instanceof RequestStream) return target.resolve()
  if (target instanceof Http2ServerResponse) {
    // The compat response drops its stream when that closes.
    const stream = target.stream as ServerHttp2Stream | undefined
    if (!stream || target.writableEnded) throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
    return resolveHttp2(stream)
  }
  if (target instanceof ServerResponse) {
    const socket = (target as ServerResponse).req.socket as Duplex | null
    if (!socket || target.destroyed || target.writableEnded || socket.destroyed) {
      throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
    }
    return nodeTarget(target, http1Carrier, socket, target.headersSent)
  }
  if (!(target instanceof Duplex)) throw new HoldfastError('ERR_HOLDFAST_INVALID_STREAM')
  if (isHttp2Stream(target)) return resolveHttp2(target)
  if (target.destroyed || target.writableEnded) throw new HoldfastError('ERR_HOLDFAST_STREAM_DEAD')
  return nodeTarget(target, duplexCarrier, target, false)
}

function nodeTarget(
  raw: NodeTarget['raw'],
  carrier: Carrier,
  owner: Duplex,
  headersSent: boolean,
): NodeTarget {
  return { raw, carrier, owner, headersSent }
}

function isHttp2Stream(target: Duplex): target is ServerHttp2Stream {
  return 'session' in target && 'rstCode' in target && 'sentHeaders' in target
}
