import { lookup } from 'node:dns/promises'
import { getSystemErrorName } from 'node:util'
import { HoldfastError } from './errors.js'
import { frameWords } from './memory.js'
import { native } from './native.js'
import { requireInteger, requireKnown } from './options.js'

export interface ListenOptions {
  /** 0, the default: any free one. */
  port?: number
  /** A name or address. Default `::`, and with it IPv4, where the system has IPv6; else `0.0.0.0`. */
  host?: string
  /** Connections that wait while nobody accepts. Default 511. */
  backlog?: number
  /** On `::`, leave IPv4 alone. Default false. */
  ipv6Only?: boolean
}

/** An open port. */
export interface Listening {
  readonly port: number
  readonly address: string
  /** Stops listening; connections it accepted live on. */
  close(): void
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkListenOptions(options: ListenOptions): ListenOptions {
  requireKnown('options', options, ['port', 'host', 'backlog', 'ipv6Only'])
  const { host, ipv6Only = false } = options
  if (host !== undefined && typeof host !== 'string') {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', 'host must be a string')
  }
  return {
    port: requireInteger('port', options.port ?? 0, 0, 0xffff),
    backlog: requireInteger('backlog', options.backlog ?? 511, 1, 0xffff),
    ipv6Only: Boolean(ipv6Only),
    ...(host === undefined ? {} : { host }),
  }
}

/** What to try, in this order. @throws ERR_HOLDFAST_LISTEN */
export async function addressesOf({ host }: ListenOptions): Promise<string[]> {
  if (host === undefined) return ['::', '0.0.0.0']
  try {
    return [(await lookup(host)).address]
  } catch (error) {
    throw new HoldfastError('ERR_HOLDFAST_LISTEN', `cannot resolve ${host}`, error)
  }
}

export interface Bound {
  readonly port: number
  readonly address: string
  readonly listener: number
}

/** Opens the port on the first address that the system has. @throws ERR_HOLDFAST_LISTEN */
export function bind(
  { port = 0, backlog = 0, ipv6Only = false }: ListenOptions,
  addresses: readonly string[],
): Bound {
  let bound = -1
  let address = ''
  for (address of addresses) {
    bound = native.listen(address, port, backlog, ipv6Only)
    if (bound >= 0) return { port: bound, address, listener: frameWords[0] ?? 0 }
    if (!/AFNOSUPPORT|ADDRNOTAVAIL/.test(getSystemErrorName(bound))) break
  }
  throw listenError(getSystemErrorName(bound), `${address}:${port}`)
}

function listenError(code: string, where: string): HoldfastError {
  const cause = Object.assign(new Error(`${code}: listen ${where}`), { code, syscall: 'listen' })
  return new HoldfastError('ERR_HOLDFAST_LISTEN', `cannot listen on ${where}: ${code}`, cause)
}
