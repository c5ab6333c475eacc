import { generate } from 'selfsigned'

/** A certificate of its own for `localhost`, with the key that servers of today have. */
export async function certificate() {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 60_000),
  })
  return { cert, key }
}
