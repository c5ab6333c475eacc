import type { TLSSocket } from 'node:tls'
import { noCertificate, type ClientIdentity } from '../request/client-identity.js'

const kClient = Symbol('holdfast.client')
/** null: TLS did not ask who it is. */
type Known = object & { [kClient]?: ClientIdentity | null }

/**
 * Who is at the other end of that connection, found once: when its first request comes, as node tells it
 * no more when the connection is gone. `owner` lives as long as the connection.
 */
export function clientOf(owner: object, socket: TLSSocket): ClientIdentity | undefined {
  const known = owner as Known
  if (known[kClient] === undefined) known[kClient] = identify(socket) ?? null
  return known[kClient] ?? undefined
}

function identify(socket: TLSSocket): ClientIdentity | undefined {
  const { authorized } = socket
  // Its type is wrong on servers: it is a code there, and null before, or where nobody is asked.
  const error = socket.authorizationError as unknown as string | null
  if (!authorized && !error) return undefined
  const certificate = socket.getPeerX509Certificate()
  // With TLS 1.3, node calls whoever resumes a session authorized, also one who never showed any.
  if (!certificate) return noCertificate
  return { certificate, authorized, authorizationError: error ?? undefined }
}
