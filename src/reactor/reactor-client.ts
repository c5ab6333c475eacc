import { X509Certificate } from 'node:crypto'
import type { ClientIdentity } from '../request/client-identity.js'
import { nameOfVerdict } from './verdicts.js'

/** The client of a session on a reactor, by the certificate that it has shown. */
export class ReactorClient implements ClientIdentity {
  readonly authorized: boolean
  readonly authorizationError: string | undefined
  /** DER, until somebody asks for what is in it. */
  #certificate: Buffer | X509Certificate

  constructor(verdict: number, certificate: Buffer) {
    this.authorizationError = nameOfVerdict(verdict)
    this.authorized = this.authorizationError === undefined
    this.#certificate = certificate
  }

  get certificate(): X509Certificate {
    if (!(this.#certificate instanceof X509Certificate)) {
      this.#certificate = new X509Certificate(this.#certificate)
    }
    return this.#certificate
  }
}
