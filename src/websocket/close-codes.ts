import { HoldfastError } from '../errors.js'

/** WebSocket close codes (RFC 6455, section 7.4.1) that holdfast itself speaks of. */
export const closeCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  /** Never sent: the peer's Close frame had none. */
  none: 1005,
  /** Never sent: there was no Close frame. */
  abnormal: 1006,
  invalidData: 1007,
  policy: 1008,
  tooBig: 1009,
  tryAgainLater: 1013,
} as const

/** Below it, a code is one of HTTP/2 (RFC 9113, section 7); WebSocket has none there. */
const kFirstCode = 1000
/** What a Close frame, at most 125 bytes, leaves for the reason. */
const kMaxReasonBytes = 123

/** Whether it may stand in a Close frame. */
export function isSendable(code: number): boolean {
  if (code >= 3000) return code <= 4999
  return code >= kFirstCode && code <= 1014 && ![1004, 1005, 1006].includes(code)
}

/** Whether closing with it means to break off, without a Close frame. */
export function isReset(code: number): boolean {
  return code > 0 && code < kFirstCode
}

/** @throws ERR_HOLDFAST_INVALID_OPTION if a WebSocket cannot be closed with them */
export function requireCloseDetail(code: number, reason: string): void {
  if (isReset(code)) return
  if (code !== 0 && !isSendable(code)) {
    throw new HoldfastError(
      'ERR_HOLDFAST_INVALID_OPTION',
      `${code} may not be sent as a WebSocket close code`,
    )
  }
  if (Buffer.byteLength(reason) > kMaxReasonBytes) {
    throw new HoldfastError(
      'ERR_HOLDFAST_INVALID_OPTION',
      `the reason a WebSocket is closed with must take at most ${kMaxReasonBytes} bytes`,
    )
  }
}

const codeOfError: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: closeCode.invalidData,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: closeCode.tooBig,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: closeCode.tooBig,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: closeCode.policy,
}

/** The close code for what the receiver of `ws` found wrong; its other errors are zlib's. */
export function closeCodeOf(error: Error & { code?: string }): number {
  const { code = '' } = error
  return (
    codeOfError[code] ??
    (code.startsWith('WS_ERR_') ? closeCode.protocolError : closeCode.invalidData)
  )
}
