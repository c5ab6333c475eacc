/** HTTP/2 error codes (RFC 9113, section 7) that holdfast itself speaks of. */
export const http2Code = {
  internalError: 2,
  /** It was not looked at, and may be tried elsewhere (section 8.7). */
  refusedStream: 7,
  /** No error of anybody's; the stream is just no longer wanted. */
  cancel: 8,
} as const
