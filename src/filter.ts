import { HoldfastError, status } from './errors.js'
import { native, type NativeEnumeration } from './native.js'
import { requireInteger, requireKnown } from './options.js'
import { readInfo, streamKinds, type StreamInfo, type StreamKind } from './stream-info.js'
import { isWellFormed } from './text.js'

/** Which streams to list; what is left out filters nothing. */
export interface StreamFilter {
  kind?: StreamKind
  worker?: number
  tag?: string
  detached?: boolean
  /** At least this many ms without a byte either way. */
  idleForMs?: number
  /** The peer's IPv4 or IPv6 address. */
  address?: string
}

const kAny = -1

/**
 * Lists the streams of the process. Each step takes a bounded piece, so between two of them streams
 * come and go: one that lives throughout is listed once, of the others any may be.
 * @throws ERR_HOLDFAST_INVALID_OPTION
 */
export function listStreams(filter: StreamFilter): IterableIterator<StreamInfo> {
  return steps(startEnumeration(filter))
}

function* steps(enumeration: NativeEnumeration): Generator<StreamInfo, void, undefined> {
  for (;;) {
    const count = native.enumerateNext(enumeration)
    if (count < 0) return
    // Copied at once: the caller may ask for something else before it asks for the next.
    yield* Array.from({ length: count }, (_, record) => readInfo(record))
  }
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function startEnumeration(filter: StreamFilter): NativeEnumeration {
  requireKnown('filter', filter, ['kind', 'worker', 'tag', 'detached', 'idleForMs', 'address'])
  const { kind, worker, tag = '', detached, idleForMs = 0, address = '' } = filter
  if (kind !== undefined && !streamKinds.includes(kind))
    throw invalid(`unknown kind: ${String(kind)}`)
  if (worker !== undefined) requireInteger('worker', worker, 0, 0xffff)
  // An empty one is no stream's, and left out it would be everybody's.
  if (typeof tag !== 'string' || filter.tag === '' || !isWellFormed(tag)) {
    throw invalid('tag must be a string, not empty and well-formed')
  }
  if (detached !== undefined && typeof detached !== 'boolean')
    throw invalid('detached must be a boolean')
  requireInteger('idleForMs', idleForMs, 0, Number.MAX_SAFE_INTEGER)
  if (typeof address !== 'string' || filter.address === '') {
    throw invalid('address must be a string, and not empty')
  }
  const enumeration = native.enumerate(
    kind === undefined ? kAny : streamKinds.indexOf(kind),
    worker ?? kAny,
    detached === undefined ? kAny : Number(detached),
    address,
    idleForMs,
    tag,
  )
  if (enumeration === status.invalid) throw invalid('address must be an IPv4 or IPv6 address')
  if (typeof enumeration === 'number') throw new HoldfastError('ERR_HOLDFAST_SYSTEM')
  return enumeration
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', message)
}
