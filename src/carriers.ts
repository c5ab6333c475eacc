import { native } from './native.js'

export interface CarrierState {
  readonly available: boolean
  /** Why it is not. */
  readonly reason?: string
}

/** What can carry streams in this process. */
export interface Carriers {
  readonly node: CarrierState
  readonly native: CarrierState
}

export function carriers(): Carriers {
  const reason = native.carriers()
  const available = reason === ''
  return { node: { available: true }, native: available ? { available } : { available, reason } }
}
