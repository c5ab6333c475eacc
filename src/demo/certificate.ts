import { isIP } from 'node:net'
import { generate } from 'selfsigned'

/** A key and the certificate for it, in PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A day is enough: each start makes another. */
const kLifeMs = 24 * 60 * 60 * 1000

/** A self-signed certificate for this machine's loopback names and `host`. */
export async function makeCertificate(host: string): Promise<Certificate> {
  const names = new Set(['localhost', '127.0.0.1', '::1', host])
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // A clock that is a little behind must not find it in the future.
    notBeforeDate: new Date(Date.now() - 60_000),
    notAfterDate: new Date(Date.now() + kLifeMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [...names].map((name) =>
          isIP(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
        ),
      },
    ],
  })
  return { key: pems.private, cert: pems.cert }
}
