import { generate } from 'selfsigned'

export interface Certified {
  readonly cert: string
  readonly key: string
}

/** A certificate for these hosts, by default signed by itself; it is valid until `end`. */
export async function certify(
  hosts: readonly string[],
  signer?: Certified,
  end?: Date,
): Promise<Certified> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: hosts[0]! }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 60_000),
    ...(end === undefined ? {} : { notAfterDate: end }),
    ...(signer === undefined ? {} : { ca: signer }),
    extensions: [
      { name: 'basicConstraints', cA: signer === undefined, critical: true },
      {
        name: 'keyUsage',
        digitalSignature: true,
        keyCertSign: signer === undefined,
        cRLSign: signer === undefined,
        critical: true,
      },
      { name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2, value })) },
    ],
  })
  return { cert, key }
}
