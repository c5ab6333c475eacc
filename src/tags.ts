import { HoldfastError } from './errors.js'
import { isWellFormed } from './text.js'

const kMaxBytes = 255

/**
 * Tags as the native side keeps them: each, then a zero byte.
 * @throws ERR_HOLDFAST_INVALID_OPTION
 */
export function encodeTags(tags: readonly string[] | undefined): string {
  if (tags === undefined) return ''
  if (!Array.isArray(tags)) throw invalid('tags must be an array of strings')
  let bytes = 0
  for (const tag of tags as readonly unknown[]) {
    const isTag = typeof tag === 'string' && tag !== '' && isWellFormed(tag) && !tag.includes('\0')
    if (!isTag) {
      throw invalid('a tag must be a string, well-formed, not empty and without NUL')
    }
    bytes += Buffer.byteLength(tag) + 1
  }
  if (bytes > kMaxBytes)
    throw invalid(`tags must take at most ${kMaxBytes} bytes, one more each than its text`)
  return tags.map((tag) => `${tag}\0`).join('')
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', message)
}
