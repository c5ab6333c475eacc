import { createHash } from 'node:crypto'
import { HoldfastError } from './errors.js'
import { requireKnown } from './options.js'

/** PEM text. */
export type Pem = string | Uint8Array

/** A certificate and its key. */
export interface TlsIdentity {
  /**
   * The certificate with the chain behind it. Several, in an array, differ in the type of their key, as
   * RSA and ECDSA do, and the client's algorithms choose.
   */
  cert: Pem | readonly Pem[]
  /** The key of each `cert`, in the same order. */
  key: Pem | readonly Pem[]
  /** Of the encrypted ones among the keys. */
  passphrase?: string
}

/** For clients that ask for one of these names (SNI, RFC 6066, section 3). */
export interface TlsNamedIdentity extends TlsIdentity {
  /** `host.example` or `*.example`, which is one label. Default: the names in the first certificate. */
  names?: readonly string[]
}

/**
 * The TLS (1.2 and 1.3) of a port's HTTP/2 on reactors. Options that have a name of `tls.createServer`
 * mean the same.
 */
export interface TlsOptions extends TlsIdentity {
  /** Further identities. What is above serves a client that names none of them, or no host at all. */
  sni?: readonly TlsNamedIdentity[]
  /** Who may have signed a client's certificate. Needed with `requestCert`. */
  ca?: Pem | readonly Pem[]
  /** Ask the client for a certificate. Default false. */
  requestCert?: boolean
  /** With `requestCert`: no handshake without a certificate signed by `ca`. Default true. */
  rejectUnauthorized?: boolean
  /** Default `TLSv1.2`. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /**
   * In OpenSSL's form; those of TLS 1.3 by their `TLS_` names. Default: of TLS 1.2 those that HTTP/2
   * allows (RFC 9113, section 9.2.2), of TLS 1.3 all.
   */
  ciphers?: string
  /**
   * 48 bytes, as `server.getTicketKeys()` gives them: with the same keys, and the same `sessionIdContext`,
   * sessions are resumed by other ports, processes and servers of node. Default: random.
   */
  ticketKeys?: Uint8Array
  /** At most 32 bytes. Default: that of `tls.createServer` in this thread. */
  sessionIdContext?: string
}

interface CheckedIdentity {
  readonly pairs: { readonly cert: string; readonly key: string; readonly passphrase: string }[]
  readonly names: readonly string[]
}

/** As the native side takes it; native/h2/tls_settings.h. */
export interface CheckedTls {
  readonly identity: CheckedIdentity
  readonly sni: readonly CheckedIdentity[]
  readonly ca: string
  /** Not asked for, asked for, required. */
  readonly clientCertificates: 0 | 1 | 2
  readonly tls13Only: boolean
  readonly ciphers: string
  readonly ticketKeys: Uint8Array | undefined
  readonly sessionIdContext: string
}

const kIdentity = ['cert', 'key', 'passphrase']
const kOptions = [
  ...kIdentity,
  ...['sni', 'ca', 'requestCert', 'rejectUnauthorized'],
  ...['minVersion', 'ciphers', 'ticketKeys', 'sessionIdContext'],
]
const kTicketKeyBytes = 48

/** The form of it; what is in the PEM is seen later. @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkTlsOptions(options: TlsOptions): CheckedTls {
  requireKnown('tls', options, kOptions)
  const { ticketKeys, minVersion = 'TLSv1.2', sni = [], requestCert, rejectUnauthorized } = options
  if (ticketKeys !== undefined && !isKeys(ticketKeys)) {
    throw invalid(`tls.ticketKeys must be a Uint8Array of ${kTicketKeyBytes} bytes`)
  }
  if (!['TLSv1.2', 'TLSv1.3'].includes(minVersion)) {
    throw invalid('tls.minVersion must be TLSv1.2 or TLSv1.3')
  }
  if (!Array.isArray(sni)) throw invalid('tls.sni must be an array')
  const trusted = rejectUnauthorized !== false
  return {
    identity: checkIdentity('tls', options, []),
    sni: (sni as TlsNamedIdentity[]).map((one, index) => {
      const what = `tls.sni[${index}]`
      requireKnown(what, one, [...kIdentity, 'names'])
      return checkIdentity(what, one, checkNames(what, one.names))
    }),
    ca: pems('tls.ca', options.ca ?? []).join('\n'),
    clientCertificates: !requestCert ? 0 : trusted ? 2 : 1,
    tls13Only: minVersion === 'TLSv1.3',
    ciphers: text('tls.ciphers', options.ciphers),
    ticketKeys: ticketKeys && Uint8Array.from(ticketKeys),
    sessionIdContext: text('tls.sessionIdContext', options.sessionIdContext) || defaultContext(),
  }
}

/** The native side's word for why it cannot use what was checked here. */
export function tlsError(whyNot: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_TLS', `tls.${whyNot}`)
}

function checkIdentity(
  what: string,
  { cert, key, passphrase }: TlsIdentity,
  names: readonly string[],
): CheckedIdentity {
  const certs = pems(`${what}.cert`, cert)
  const keys = pems(`${what}.key`, key)
  if (certs.length === 0 || certs.length !== keys.length) {
    throw invalid(`${what} needs a key for each cert`)
  }
  const secret = text(`${what}.passphrase`, passphrase)
  return {
    pairs: certs.map((one, index) => ({ cert: one, key: keys[index]!, passphrase: secret })),
    names,
  }
}

function checkNames(what: string, names: unknown = []): readonly string[] {
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
  throw invalid(`${what}.names must be an array of strings`)
}

function pems(what: string, value: unknown): string[] {
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => {
    if (typeof one === 'string') return one
    if (one instanceof Uint8Array) return Buffer.from(one).toString('latin1')
    throw invalid(`${what} must be PEM, as a string or Uint8Array`)
  })
}

function text(what: string, value: unknown = ''): string {
  if (typeof value === 'string') return value
  throw invalid(`${what} must be a string`)
}

function isKeys(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === kTicketKeyBytes
}

/** What node:tls makes of the command line, so that a server of this thread takes the same tickets. */
function defaultContext(): string {
  return createHash('sha1').update(process.argv.join(' ')).digest('hex').slice(0, 32)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', message)
}
