/** Every code a {@link HoldfastError} can carry, with what it means. README.md lists the same. */
export const errorCodes = {
  ERR_HOLDFAST_UNSUPPORTED: 'the runtime or platform cannot run holdfast',
  ERR_HOLDFAST_BINARY: 'no native binary could be loaded',
  ERR_HOLDFAST_INVALID_OPTION: 'an option is unknown or out of its range',
  ERR_HOLDFAST_OPTIONS_MISMATCH: 'the process is open with another value of an option',
  ERR_HOLDFAST_CLOSED: 'the manager was closed',
  ERR_HOLDFAST_INVALID_UID: 'not a stream uid',
  ERR_HOLDFAST_INVALID_ARGUMENT: 'an argument has the wrong type or value',
  ERR_HOLDFAST_INVALID_STREAM: 'not a stream, response or Duplex that can be registered',
  ERR_HOLDFAST_ALREADY_REGISTERED: 'the stream is registered',
  ERR_HOLDFAST_STREAM_DEAD: 'the stream or response has ended or was destroyed',
  ERR_HOLDFAST_HEADERS_SENT: 'the response has begun and cannot become an event stream',
  ERR_HOLDFAST_BODY_TAKEN: 'the body of the request is being read already',
  ERR_HOLDFAST_ABORTED: 'the request was broken off',
  ERR_HOLDFAST_WORKER_LIMIT: 'maxStreamsPerWorker is reached',
  ERR_HOLDFAST_TOTAL_LIMIT: 'maxTotalStreams is reached',
  ERR_HOLDFAST_EXHAUSTED: 'no uid, worker number or memory is left',
  ERR_HOLDFAST_LISTEN: 'the port could not be opened',
  ERR_HOLDFAST_TLS: 'the certificates, keys, names or ciphers of tls cannot be used',
  ERR_HOLDFAST_ALREADY_ACCEPTING: 'another server of this thread accepts',
  ERR_HOLDFAST_GONE: 'the stream closed before its socket took the message, or never was',
  ERR_HOLDFAST_FULL: 'the stream is over its budget, or its thread’s mailbox is full',
  ERR_HOLDFAST_DROPPED: 'the message was dropped, as the stream’s reader is slow',
  ERR_HOLDFAST_REPLAY_LIMIT: 'maxReplayBytes, or the number of topics that are kept, is reached',
  ERR_HOLDFAST_SYSTEM: 'an operating-system call failed',
} as const

export type HoldfastErrorCode = keyof typeof errorCodes

const kBrand = Symbol.for('holdfast.error')

/** The one error class of the package. Tell them apart by `code`; the message may change. */
export class HoldfastError extends Error {
  readonly code: HoldfastErrorCode

  constructor(code: HoldfastErrorCode, message: string = errorCodes[code], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }

  override get name(): string {
    return 'HoldfastError'
  }

  get [kBrand](): true {
    return true
  }

  /** Also true for an error of another copy of the package in the same process. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && kBrand in value
  }
}

/** What the native core answers; native/base/status.h holds the same list. */
export const status = {
  ok: 0,
  gone: -1,
  full: -2,
  workerLimit: -3,
  totalLimit: -4,
  exhausted: -5,
  optionsMismatch: -6,
  closed: -7,
  system: -8,
  invalid: -9,
} as const

const codeOfStatus: Readonly<Record<number, HoldfastErrorCode>> = {
  [status.workerLimit]: 'ERR_HOLDFAST_WORKER_LIMIT',
  [status.totalLimit]: 'ERR_HOLDFAST_TOTAL_LIMIT',
  [status.exhausted]: 'ERR_HOLDFAST_EXHAUSTED',
  [status.optionsMismatch]: 'ERR_HOLDFAST_OPTIONS_MISMATCH',
  [status.closed]: 'ERR_HOLDFAST_CLOSED',
  [status.system]: 'ERR_HOLDFAST_SYSTEM',
  [status.invalid]: 'ERR_HOLDFAST_INVALID_ARGUMENT',
}

/** The error for a native status that the caller cannot go on with. */
export function errorOfStatus(value: number): HoldfastError {
  return new HoldfastError(codeOfStatus[value] ?? 'ERR_HOLDFAST_SYSTEM')
}
