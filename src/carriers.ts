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
  /** Whether the native one can speak TLS. Where it cannot, ports with `tls` leave it to node's servers. */
  readonly nativeTls: CarrierState
}

export function carriers(): Carriers {
  const reason = native.carriers()
  return {
    node: { available: true },
    native: state(reason),
    nativeTls: state(reason || native.carrierOfTls()),
  }
}

function state(reason: string): CarrierState {
  return reason === '' ? { available: true } : { available: false, reason }
}
