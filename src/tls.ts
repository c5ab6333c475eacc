import { createHash } from 'node:crypto'
import { HoldfastError } from './errors.js'
import { requireKnown } from './options.js'
import {
  checkIdentity,
  invalid,
  kIdentityOptions,
  pems,
  text,
  type CheckedIdentity,
  type Pem,
  type TlsIdentity,
} from './tls-identity.js'

/** For clients that ask for one of these names (SNI, RFC 6066, section 3). */
export interface TlsNamedIdentity extends TlsIdentity {
  /** `host.example` or `*.example`, which is one label. Default: the names in the first certificate. */
  names?: readonly string[]
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

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
  /**
   * PEM: lists of revoked certificates. With any, no client's certificate is trusted without a list, in
   * its time, of each authority in its chain. Tickets that a client has are not asked: give other
   * `ticketKeys` with a new list.
   */
  crl?: Pem | readonly Pem[]
  /** Default `TLSv1.2`. */
  minVersion?: TlsVersion
  /** Not below `minVersion`. Default `TLSv1.3`. */
  maxVersion?: TlsVersion
  /**
   * In OpenSSL's form; those of TLS 1.3 by their `TLS_` names. Default: of TLS 1.2 those that HTTP/2
   * allows (RFC 9113, section 9.2.2), of TLS 1.3 all.
   */
  ciphers?: string
  /** Of the ciphers that both have, take the first in our list, not in the client's. Default true. */
  honorCipherOrder?: boolean
  /** Groups for the exchange of keys, as `X25519:P-256`. Default `auto`: OpenSSL's own. */
  ecdhCurve?: string
  /** Signature algorithms, as `ecdsa_secp256r1_sha256:RSA-PSS+SHA256`. Default: OpenSSL's own. */
  sigalgs?: string
  /**
   * 48 bytes, as `server.getTicketKeys()` gives them: with the same keys, and the same `sessionIdContext`,
   * sessions are resumed by other ports, processes and servers of node. Default: random.
   */
  ticketKeys?: Uint8Array
  /** At most 32 bytes. Default: that of `tls.createServer` in this thread. */
  sessionIdContext?: string
}

/** As the native side takes it; native/h2/tls_settings.h. */
export interface CheckedTls {
  readonly identity: CheckedIdentity
  readonly sni: readonly CheckedIdentity[]
  readonly ca: string
  /** Not asked for, asked for, required. */
  readonly clientCertificates: 0 | 1 | 2
  readonly crl: string
  /** Both, only TLS 1.2, only TLS 1.3. */
  readonly versions: 0 | 1 | 2
  readonly ciphers: string
  readonly ownCipherOrder: boolean
  readonly groups: string
  readonly sigalgs: string
  readonly ticketKeys: Uint8Array | undefined
  readonly sessionIdContext: string
}

const kOptions = [
  ...kIdentityOptions,
  ...['sni', 'ca', 'crl', 'requestCert', 'rejectUnauthorized'],
  ...['minVersion', 'maxVersion', 'ciphers', 'honorCipherOrder', 'ecdhCurve', 'sigalgs'],
  ...['ticketKeys', 'sessionIdContext'],
]
const kTicketKeyBytes = 48

/** The form of it; what is in the PEM is seen later. @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkTlsOptions(options: TlsOptions): CheckedTls {
  requireKnown('tls', options, kOptions)
  const { ticketKeys, sni = [], requestCert, rejectUnauthorized } = options
  if (ticketKeys !== undefined && !isKeys(ticketKeys)) {
    throw invalid(`tls.ticketKeys must be a Uint8Array of ${kTicketKeyBytes} bytes`)
  }
  if (!Array.isArray(sni)) throw invalid('tls.sni must be an array')
  const trusted = rejectUnauthorized !== false
  return {
    identity: checkIdentity('tls', options, []),
    sni: (sni as TlsNamedIdentity[]).map((one, index) => {
      const what = `tls.sni[${index}]`
      requireKnown(what, one, [...kIdentityOptions, 'names'])
      return checkIdentity(what, one, checkNames(what, one.names))
    }),
    ca: pems('tls.ca', options.ca ?? []).join('\n'),
    clientCertificates: !requestCert ? 0 : trusted ? 2 : 1,
    crl: pems('tls.crl', options.crl ?? []).join('\n'),
    versions: checkVersions(options),
    ciphers: text('tls.ciphers', options.ciphers),
    ownCipherOrder: flag('tls.honorCipherOrder', options.honorCipherOrder),
    groups: options.ecdhCurve === 'auto' ? '' : list('tls.ecdhCurve', options.ecdhCurve),
    sigalgs: list('tls.sigalgs', options.sigalgs),
    ticketKeys: ticketKeys && Uint8Array.from(ticketKeys),
    sessionIdContext: text('tls.sessionIdContext', options.sessionIdContext) || defaultContext(),
  }
}

/** The native side's word for why it cannot use what was checked here. */
export function tlsError(whyNot: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_TLS', `tls.${whyNot}`)
}

function checkVersions({ minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' }: TlsOptions): 0 | 1 | 2 {
  for (const [name, value] of Object.entries({ minVersion, maxVersion })) {
    if (value !== 'TLSv1.2' && value !== 'TLSv1.3') {
      throw invalid(`tls.${name} must be TLSv1.2 or TLSv1.3`)
    }
  }
  if (maxVersion === 'TLSv1.2' && minVersion === 'TLSv1.3') {
    throw invalid('tls.maxVersion must not be below minVersion')
  }
  return maxVersion === 'TLSv1.2' ? 1 : minVersion === 'TLSv1.3' ? 2 : 0
}

/** Empty only if it is not given. */
function list(what: string, value: unknown): string {
  if (value === '') throw invalid(`${what} must not be empty`)
  return text(what, value)
}

function flag(what: string, value: unknown = true): boolean {
  if (typeof value === 'boolean') return value
  throw invalid(`${what} must be a boolean`)
}

function checkNames(what: string, names: unknown = []): readonly string[] {
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
  throw invalid(`${what}.names must be an array of strings`)
}

function isKeys(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === kTicketKeyBytes
}

/** What node:tls makes of the command line, so that a server of this thread takes the same tickets. */
function defaultContext(): string {
  return createHash('sha1').update(process.argv.join(' ')).digest('hex').slice(0, 32)
}
