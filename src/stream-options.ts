import { HoldfastError } from './errors.js'
import { requireInteger, requireKnown } from './options.js'
import type { SlowReaderOptions } from './slow-policy.js'
import type { CloseOptions } from './stream.js'

export interface RegisterOptions extends SlowReaderOptions {
  /** The wire form of its messages: `raw` bytes, the default, or `sse`. */
  kind?: 'raw' | 'sse'
  /** Names to list it by; together at most 255 bytes, each counting one more than its text. */
  tags?: readonly string[]
}

/** The kind to register with. @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkRegisterOptions(options: RegisterOptions): 'raw' | 'sse' {
  requireKnown('options', options, ['kind', 'tags', 'onSlow', 'onGap'])
  const { kind = 'raw' } = options
  if (kind === 'raw' || kind === 'sse') return kind
  throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', 'kind must be raw or sse')
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkCloseOptions(options: Partial<CloseOptions>): CloseOptions {
  requireKnown('options', options, ['code', 'reason'])
  const code = requireInteger('code', options.code ?? 0, 0, 0xffff_ffff)
  const reason: unknown = options.reason ?? ''
  if (typeof reason !== 'string' || reason.length > 1024) {
    throw new HoldfastError(
      'ERR_HOLDFAST_INVALID_OPTION',
      'reason must be a string of at most 1024 characters',
    )
  }
  return { code, reason }
}
