import { HoldfastError } from './errors.js'
import { requireKnown } from './options.js'

/** PEM text. */
export type Pem = string | Uint8Array

/** A key with a passphrase of its own. */
export interface TlsKey {
  pem: Pem
  passphrase?: string
}

/** PKCS #12 with a passphrase of its own. */
export interface TlsPfx {
  buf: Uint8Array
  passphrase?: string
}

/** Certificates and their keys: `cert` and `key`, or `pfx`, or both. */
export interface TlsIdentity {
  /**
   * The certificate with the chain behind it. Several, in an array, differ in the type of their key, as
   * RSA and ECDSA do, and the client's algorithms choose.
   */
  cert?: Pem | readonly Pem[]
  /** The key of each `cert`, in the same order. */
  key?: Pem | TlsKey | readonly (Pem | TlsKey)[]
  /**
   * Key, certificate and chain in one (PKCS #12, RFC 7292), in DER. Unlike with node, certificates in it
   * vouch for no client: `ca` does.
   */
  pfx?: Uint8Array | TlsPfx | readonly (Uint8Array | TlsPfx)[]
  /** Of what is encrypted and has none of its own. */
  passphrase?: string
}

/** As the native side takes it; native/h2/tls_settings.h. */
export interface CheckedIdentity {
  readonly pairs: { readonly cert: string; readonly key: string; readonly passphrase: string }[]
  readonly bundles: { readonly bytes: Uint8Array; readonly passphrase: string }[]
  readonly names: readonly string[]
}

export const kIdentityOptions = ['cert', 'key', 'pfx', 'passphrase']

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkIdentity(
  what: string,
  { cert, key, pfx, passphrase }: TlsIdentity,
  names: readonly string[],
): CheckedIdentity {
  const secret = text(`${what}.passphrase`, passphrase)
  const bundles = listOf(pfx).map((one) => checkPfx(`${what}.pfx`, one, secret))
  // Without either, it is the certificate that is missed.
  const wanted = bundles.length === 0 || cert !== undefined || key !== undefined
  const certs = wanted ? pems(`${what}.cert`, cert) : []
  const keys = wanted ? listOf(key).map((one) => checkKey(`${what}.key`, one, secret)) : []
  if (wanted && (certs.length === 0 || certs.length !== keys.length)) {
    throw invalid(`${what} needs a key for each cert, or a pfx`)
  }
  return { pairs: certs.map((one, index) => ({ cert: one, ...keys[index]! })), bundles, names }
}

/** One PEM text or a list of them. */
export function pems(what: string, value: unknown): string[] {
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => pem(what, one))
}

export function text(what: string, value: unknown = ''): string {
  if (typeof value === 'string') return value
  throw invalid(`${what} must be a string`)
}

export function invalid(message: string): HoldfastError {
  return new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', message)
}

function checkKey(
  what: string,
  value: unknown,
  passphrase: string,
): { key: string; passphrase: string } {
  if (!isOptions(value)) return { key: pem(what, value), passphrase }
  requireKnown(what, value, ['pem', 'passphrase'])
  const { pem: key, passphrase: own = passphrase } = value as unknown as TlsKey
  return { key: pem(`${what}.pem`, key), passphrase: text(`${what}.passphrase`, own) }
}

function checkPfx(
  what: string,
  value: unknown,
  passphrase: string,
): { bytes: Uint8Array; passphrase: string } {
  if (!isOptions(value)) return { bytes: bytes(what, value), passphrase }
  requireKnown(what, value, ['buf', 'passphrase'])
  const { buf, passphrase: own = passphrase } = value as unknown as TlsPfx
  return { bytes: bytes(`${what}.buf`, buf), passphrase: text(`${what}.passphrase`, own) }
}

function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

function listOf(value: unknown): unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as unknown[]) : [value]
}

function pem(what: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  throw invalid(`${what} must be PEM, as a string or Uint8Array`)
}

function bytes(what: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  throw invalid(`${what} must be a Uint8Array`)
}
