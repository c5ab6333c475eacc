import { lookup } from 'node:dns/promises'
import { getSystemErrorName } from 'node:util'
import { HoldfastError } from './errors.js'
import { frameWords } from './memory.js'
import { native } from './native.js'
import { requireInteger, requireKnown } from './options.js'
import { checkTlsOptions, tlsError, type CheckedTls, type TlsOptions } from './tls.js'

export interface ListenOptions {
  /** 0, the default: any free one. */
  port?: number
  /** A name or address. Default `::`, and with it IPv4, where the system has IPv6; else `0.0.0.0`. */
  host?: string
  /** Connections that wait while nobody accepts. Default 511. */
  backlog?: number
  /** On `::`, leave IPv4 alone. Default false. */
  ipv6Only?: boolean
  /**
   * The port speaks TLS. Its HTTP/2 is for reactors, with what is given here; all other connections, and
   * all where no reactor takes them, go to the accepted servers, which have certificates of their own.
   */
  tls?: TlsOptions
}

/** An open port. */
export interface Listening {
  readonly port: number
  readonly address: string
  /** Stops listening; connections it accepted live on. */
  close(): void
  /**
   * Other certificates, keys and settings for connections from now on; those there are go on with
   * theirs. `ticketKeys` that are not given stay as they are. Either all is taken or, when it throws,
   * nothing.
   * @throws ERR_HOLDFAST_TLS, ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_CLOSED, and
   *   ERR_HOLDFAST_INVALID_ARGUMENT if the port does not speak TLS
   */
  reloadTls(tls: TlsOptions): void
}

export interface CheckedListen extends Omit<ListenOptions, 'tls'> {
  readonly tls?: CheckedTls
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkListenOptions(options: ListenOptions): CheckedListen {
  requireKnown('options', options, ['port', 'host', 'backlog', 'ipv6Only', 'tls'])
  const { host, ipv6Only = false, tls } = options
  if (host !== undefined && typeof host !== 'string') {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', 'host must be a string')
  }
  return {
    port: requireInteger('port', options.port ?? 0, 0, 0xffff),
    backlog: requireInteger('backlog', options.backlog ?? 511, 1, 0xffff),
    ipv6Only: Boolean(ipv6Only),
    ...(host === undefined ? {} : { host }),
    ...(tls === undefined ? {} : { tls: checkTlsOptions(tls) }),
  }
}

/** What to try, in this order. @throws ERR_HOLDFAST_LISTEN */
export async function addressesOf({ host }: CheckedListen): Promise<string[]> {
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

/**
 * Opens the port on the first address that the system has.
 * @throws ERR_HOLDFAST_LISTEN, ERR_HOLDFAST_TLS
 */
export function bind(
  { port = 0, backlog = 0, ipv6Only = false, tls }: CheckedListen,
  addresses: readonly string[],
): Bound {
  let code = ''
  let address = ''
  for (address of addresses) {
    const bound = native.listen(address, port, backlog, ipv6Only, tls)
    if (typeof bound === 'string') throw tlsError(bound)
    if (bound >= 0) return { port: bound, address, listener: frameWords[0] ?? 0 }
    code = getSystemErrorName(bound)
    if (!/AFNOSUPPORT|ADDRNOTAVAIL/.test(code)) break
  }
  throw listenError(code, `${address}:${port}`)
}

function listenError(code: string, where: string): HoldfastError {
  const cause = Object.assign(new Error(`${code}: listen ${where}`), { code, syscall: 'listen' })
  return new HoldfastError('ERR_HOLDFAST_LISTEN', `cannot listen on ${where}: ${code}`, cause)
}
