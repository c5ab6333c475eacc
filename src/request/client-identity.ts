import type { X509Certificate } from 'node:crypto'

/** Who the client of a connection is, as far as TLS knows: one for all requests of the connection. */
export interface ClientIdentity {
  readonly certificate: X509Certificate | undefined
  readonly authorized: boolean
  /** Why not, in node's words. */
  readonly authorizationError: string | undefined
}

/** It was asked for a certificate and has shown none, which node calls so. */
export const noCertificate: ClientIdentity = Object.freeze({
  certificate: undefined,
  authorized: false,
  authorizationError: 'UNABLE_TO_GET_ISSUER_CERT',
})
