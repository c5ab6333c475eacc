import { HoldfastError } from './errors.js'
import { scratch } from './memory.js'

const kMaxBytes = 255

/**
 * Writes tags where the native side reads them: each, then a zero byte. Returns how many bytes.
 * @throws ERR_HOLDFAST_INVALID_OPTION
 */
export function writeTags(tags: readonly string[] | undefined): number {
  if (tags === undefined || tags.length === 0) return 0
  if (!Array.isArray(tags)) throw invalid('tags must be an array of strings')
  let bytes = 0
  for (const tag of tags as readonly unknown[]) {
    if (typeof tag !== 'string' || tag === '' || tag.includes('\0')) {
      throw invalid('a tag must be a string, not empty and without NUL')
    }
    bytes += Buffer.byteLength(tag) + 1
  }
  if (bytes > kMaxBytes)
    throw invalid(`tags must take at most ${kMaxBytes} bytes, one more each than its text`)
  return scratch.write(`${tags.join('\0')}\0`)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', message)
}
