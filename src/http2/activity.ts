import type { Duplex } from 'node:stream'
import type { ServerResponse } from 'node:http'

/**
 * Calls `touched` for each piece of data that comes from the stream's peer, and for each that its user
 * writes to it directly. Streams are only made to report when somebody has set an idle time-out.
 */
export function reportActivity(raw: Duplex | ServerResponse, touched: () => void): void {
  before(raw, 'write', touched)
  before('req' in raw ? raw.req : raw, 'push', touched)
}

function before<Name extends string>(
  object: Record<Name, (...args: never[]) => unknown>,
  name: Name,
  call: () => void,
): void {
  const original = object[name]
  object[name] = function (this: unknown, ...args: never[]) {
    call()
    return original.apply(this, args)
  }
}
