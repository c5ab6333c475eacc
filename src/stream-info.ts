import type { StreamUid } from './uid.js'
import { frame, frameNumbers, frameUids, frameWords } from './memory.js'

/** The wire form of a stream's messages. In the order of native/core/stream_facts.h. */
export const streamKinds = ['raw', 'sse', 'websocket'] as const
export type StreamKind = (typeof streamKinds)[number]

/**
 * Why a stream is gone: both sides finished; the peer reset it; the peer left; its session or socket
 * died; `idleTimeoutMs`; `maxAgeMs`; closed by uid or handle; its manager closed; its thread ended;
 * over its budget with `onSlow: 'disconnect'`.
 * In the order of native/core/stream_facts.h.
 */
export const closeReasons = [
  'end',
  'reset',
  'abort',
  'session',
  'idle',
  'maxAge',
  'close',
  'manager',
  'worker',
  'slow',
] as const
export type CloseReason = (typeof closeReasons)[number]

/** What any thread can know of a stream: a copy, true when it was taken. */
export interface StreamInfo {
  readonly uid: StreamUid
  readonly kind: StreamKind
  /** The number of the thread that holds it. */
  readonly worker: number
  /** The primary id of its events socket. */
  readonly socket: number
  readonly detached: boolean
  /** It was told to close and has not finished. */
  readonly closing: boolean
  /** ms since the Unix epoch. */
  readonly createdAt: number
  /** ms since the Unix epoch; undefined while attached. */
  readonly detachedAt: number | undefined
  /** ms without a byte either way. */
  readonly idleMs: number
  /** Bytes taken by `send` and not yet by the socket. */
  readonly queuedBytes: number
  /** The peer's address and port, empty and 0 if unknown. */
  readonly address: string
  readonly port: number
  readonly tags: readonly string[]
}

const kRecordBytes = 376

/** Reads one stream's facts from the frame memory, as native/binding/js_facts.cc lays them out. */
export function readInfo(record: number): StreamInfo {
  const byte = record * kRecordBytes
  const number = byte / 8
  const word = byte / 4 + 10
  const uid = frameUids[number] as StreamUid
  const addressEnd = byte + 72 + (frameWords[word + 6] ?? 0)
  const tagsEnd = byte + 120 + (frameWords[word + 7] ?? 0)
  const detached = frameWords[word + 1] === 1
  return {
    uid,
    kind: streamKinds[frameWords[word] ?? 0] ?? 'raw',
    worker: Number(uid >> 48n),
    socket: frameWords[word + 3] ?? 0,
    detached,
    closing: frameWords[word + 2] === 1,
    createdAt: frameNumbers[number + 1] ?? 0,
    detachedAt: detached ? frameNumbers[number + 2] : undefined,
    idleMs: frameNumbers[number + 3] ?? 0,
    queuedBytes: frameNumbers[number + 4] ?? 0,
    address: frame.toString('latin1', byte + 72, addressEnd),
    port: frameWords[word + 4] ?? 0,
    tags: readTags(byte + 120, tagsEnd),
  }
}

function readTags(begin: number, end: number): readonly string[] {
  if (begin === end) return kNoTags
  return frame.toString('utf8', begin, end - 1).split('\0')
}

const kNoTags: readonly string[] = Object.freeze([])
