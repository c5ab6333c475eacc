import { HoldfastError } from './errors.js'

/** Node has it; the types we build with do not. */
interface WellFormed {
  isWellFormed(): boolean
}

/** Whether it can be said in UTF-8: half a surrogate pair would arrive as another character. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormed).isWellFormed()
}

/** @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function requireWellFormed(what: string, text: string): void {
  if (isWellFormed(text)) return
  throw new HoldfastError(
    'ERR_HOLDFAST_INVALID_ARGUMENT',
    `${what} must be well-formed Unicode, without half a surrogate pair`,
  )
}
