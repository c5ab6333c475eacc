// Options of tls.createSecureContext, given to a port whose HTTP/2 is carried by reactors: what node's
// clients see of them.
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import http2, { type ClientHttp2Session } from 'node:http2'
import tls, { type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { StreamManager, type Listening, type TlsOptions } from '../../dist/index.js'
import { certify, type Certified } from '../helpers/certificates.js'
import { bundle, revoke } from '../helpers/openssl.js'
import { until } from '../helpers/wait.js'

const manager = StreamManager.open({ carrier: 'native', reactors: 1 })
const sockets: TLSSocket[] = []
const ports: Listening[] = []
const passphrase = 'open, sesame'
let one: Certified
let other: Certified
let authority: Certified
let good: Certified
let revoked: Certified
let pfx: Buffer

beforeAll(async () => {
  one = await certify(['one.example'])
  other = await certify(['other.example'])
  authority = await certify(['authority.example'])
  good = await certify(['good.example'], authority)
  revoked = await certify(['revoked.example'], authority)
  pfx = await bundle(good, passphrase, authority.cert)
  manager.on('stream', (stream) => stream.end('served'))
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const port of ports.splice(0)) port.close()
  await until('all is forgotten', () => manager.workers().every(({ load }) => load === 0))
})
afterAll(async () => manager.close())

async function listen(options: TlsOptions): Promise<Listening> {
  const listening = await manager.listen({ port: 0, host: '127.0.0.1', tls: options })
  ports.push(listening)
  return listening
}
function dial({ port }: Listening, options: tls.ConnectionOptions = {}): TLSSocket {
  const socket = tls.connect({
    ...{ port, host: '127.0.0.1', servername: 'one.example', ALPNProtocols: ['h2'] },
    rejectUnauthorized: false,
    ...options,
  })
  sockets.push(socket)
  return socket.on('error', () => {})
}
async function shaken(listening: Listening, options?: tls.ConnectionOptions): Promise<TLSSocket> {
  const socket = dial(listening, options)
  await once(socket, 'secureConnect')
  return socket
}
/** The code of what ends the connection; TLS 1.3 refuses a client after its own handshake. */
async function refusal(listening: Listening, options?: tls.ConnectionOptions): Promise<unknown> {
  const [error] = (await once(dial(listening, options).resume(), 'error')) as [{ code?: unknown }]
  return error.code
}
/** What a request is answered, over a connection that is made so. */
async function answer(listening: Listening, options?: tls.ConnectionOptions): Promise<string> {
  const socket = await shaken(listening, options)
  const session: ClientHttp2Session = http2.connect('https://one.example', {
    createConnection: () => socket,
  })
  const chunks = (await session.request({ ':path': '/' }).toArray()) as Buffer[]
  session.destroy()
  return Buffer.concat(chunks).toString()
}
const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN)
const refused = (code: string, message: RegExp): object => ({
  code: `ERR_HOLDFAST_${code}`,
  message: expect.stringMatching(message) as string,
})

describe('the group of the key exchange', () => {
  // What the client offers first, it also sends a share of.
  const offered = { ecdhCurve: 'X25519:P-256:P-384' }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is one of ecdhCurve, with %s', async (version) => {
    const listening = await listen({ ...one, ecdhCurve: 'P-384' })
    const socket = await shaken(listening, { ...offered, maxVersion: version })
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'secp384r1' })
    expect(await refusal(listening, { ecdhCurve: 'X25519', maxVersion: version })).toMatch(
      /HANDSHAKE_FAILURE$/,
    )
  })

  test('is the client’s first with auto, as without it', async () => {
    for (const options of [{ ecdhCurve: 'auto' }, {}]) {
      const socket = await shaken(await listen({ ...one, ...options }), offered)
      expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519' })
    }
  })
})

test('signatures are made by sigalgs only', async () => {
  const { cert, key } = await certify(['one.example'])
  const listening = await listen({ cert, key, sigalgs: 'ecdsa_secp256r1_sha256' })
  const socket = await shaken(listening, { sigalgs: 'ecdsa_secp256r1_sha256:RSA-PSS+SHA256' })
  expect(nameOf(socket)).toBe('one.example')
  const asked = await listen({ ...one, ca: one.cert, requestCert: true, sigalgs: 'ECDSA+SHA256' })
  const client = await shaken(asked, good)
  expect(client.getSharedSigalgs()).toEqual(['ECDSA+SHA256'])
  const strange = await listen({ cert, key, sigalgs: 'RSA-PSS+SHA512' })
  expect(await refusal(strange)).toMatch(/HANDSHAKE_FAILURE$/)
})

describe('the version', () => {
  test('is TLS 1.2 at most with maxVersion', async () => {
    const listening = await listen({ ...one, maxVersion: 'TLSv1.2' })
    expect((await shaken(listening)).getProtocol()).toBe('TLSv1.2')
    expect(await answer(listening)).toBe('served')
    const code = await refusal(listening, { minVersion: 'TLSv1.3' })
    expect(code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  })

  test('is TLS 1.3 where both ends of the range are', async () => {
    const listening = await listen({ ...one, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' })
    expect((await shaken(listening)).getProtocol()).toBe('TLSv1.3')
    expect(await refusal(listening, { maxVersion: 'TLSv1.2' })).toMatch(/PROTOCOL_VERSION$/)
  })
})

test('the cipher is the first of ours, or with honorCipherOrder: false the first of the client’s', async () => {
  const [first, second] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256']
  const client = { ciphers: `${second}:${first}`, maxVersion: 'TLSv1.2' } as const
  const cipher = async (options: Partial<TlsOptions>): Promise<string> => {
    const listening = await listen({ ...one, ciphers: `${first}:${second}`, ...options })
    return (await shaken(listening, client)).getCipher().name
  }
  expect(await cipher({})).toBe(first)
  expect(await cipher({ honorCipherOrder: true })).toBe(first)
  expect(await cipher({ honorCipherOrder: false })).toBe(second)
})

describe('a client whose certificate was revoked', () => {
  const start = async (crl: string | string[]): Promise<Listening> =>
    listen({ ...one, ca: authority.cert, requestCert: true, crl })
  // Its beginning differs by version of OpenSSL.
  const kRevoked = /_ALERT_CERTIFICATE_REVOKED$/

  test('is refused, and another of the same authority served', async () => {
    const listening = await start(await revoke(authority, [revoked]))
    expect(await answer(listening, good)).toBe('served')
    expect(await refusal(listening, revoked)).toMatch(kRevoked)
  })

  test('is refused from the reload on that brings the list', async () => {
    const listening = await start(await revoke(authority))
    expect(await answer(listening, revoked)).toBe('served')
    const next = { ...one, ca: authority.cert, requestCert: true }
    const crl = await revoke(authority, [revoked])
    expect(() => listening.reloadTls({ ...next, crl: 'x' })).toThrow(/tls\.crl: no start line/)
    expect(await answer(listening, revoked)).toBe('served')
    listening.reloadTls({ ...next, crl })
    expect(await refusal(listening, revoked)).toMatch(kRevoked)
  })

  test('is found in any of several lists, in an array or in one text', async () => {
    const lists = [await revoke(other), await revoke(authority, [revoked])]
    for (const crl of [lists, lists.join('')]) {
      const listening = await start(crl)
      expect(await answer(listening, good)).toBe('served')
      expect(await refusal(listening, revoked)).toMatch(kRevoked)
    }
  })

  test('as any whose authority has no list, is not trusted', async () => {
    const listening = await start(await revoke(other))
    expect(await refusal(listening, good)).toMatch(/^ERR_SSL_.*ALERT/)
  })
})

describe('a key in an object', () => {
  const encrypted = (key: string, secret: string): string =>
    createPrivateKey(key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret })
      .toString()

  test('is read with its own passphrase, or that of all', async () => {
    const pem = encrypted(one.key, passphrase)
    for (const options of [
      { key: [{ pem, passphrase }] },
      { key: { pem: Buffer.from(pem), passphrase }, passphrase: 'of others' },
      { key: [{ pem }], passphrase },
      { key: [{ pem: one.key }] },
    ]) {
      expect(await answer(await listen({ cert: one.cert, ...options }))).toBe('served')
    }
    await expect(
      listen({ cert: one.cert, key: [{ pem, passphrase: 'wrong' }], passphrase }),
    ).rejects.toMatchObject(refused('TLS', /^tls\.key: /))
  })
})

describe('a pfx', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is certificate, key and chain in one, with %s',
    async (maxVersion) => {
      const listening = await listen({ pfx, passphrase })
      const client = { ca: authority.cert, rejectUnauthorized: true, servername: 'good.example' }
      const socket = await shaken(listening, { ...client, maxVersion })
      expect(socket.authorized).toBe(true)
      expect(nameOf(socket)).toBe('good.example')
      // This one has the authority from the server only.
      const stranger = await shaken(listening, { maxVersion })
      const { issuerCertificate } = stranger.getPeerCertificate(true)
      expect(issuerCertificate?.subject.CN).toBe('authority.example')
      expect(await answer(listening)).toBe('served')
    },
  )

  test('has a passphrase of its own in an object, and may have none', async () => {
    const open = await bundle(good, '')
    for (const options of [
      { pfx: { buf: pfx, passphrase } },
      { pfx: [{ buf: pfx, passphrase }], passphrase: 'of others' },
      { pfx: [{ buf: pfx }], passphrase },
      { pfx: [open] },
    ]) {
      expect(nameOf(await shaken(await listen(options)))).toBe('good.example')
    }
  })

  test('serves the names in its certificate, behind and beside cert and key', async () => {
    const listening = await listen({ ...one, sni: [{ pfx, passphrase }] })
    expect(nameOf(await shaken(listening, { servername: 'good.example' }))).toBe('good.example')
    expect(nameOf(await shaken(listening))).toBe('one.example')
    listening.reloadTls({ ...one, sni: [{ ...other, names: ['good.example'] }] })
    expect(nameOf(await shaken(listening, { servername: 'good.example' }))).toBe('other.example')
  })

  test('vouches for no client with the chain in it', async () => {
    const listening = await listen({ pfx, passphrase, ca: one.cert, requestCert: true })
    expect(await refusal(listening, good)).toBe('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')
    expect(await answer(listening, one)).toBe('served')
  })
})

describe('what cannot be used is refused before there is a port', () => {
  const bad: [string, () => object, string, RegExp][] = [
    ['an unknown group', () => ({ ecdhCurve: 'P-257' }), 'TLS', /^tls\.ecdhCurve: ./],
    ['no group', () => ({ ecdhCurve: '' }), 'INVALID_OPTION', /ecdhCurve must not be empty/],
    ['a group that is no text', () => ({ ecdhCurve: 1 }), 'INVALID_OPTION', /ecdhCurve/],
    ['an unknown signature', () => ({ sigalgs: 'RSA+MD6' }), 'TLS', /^tls\.sigalgs: ./],
    ['no signature', () => ({ sigalgs: '' }), 'INVALID_OPTION', /sigalgs must not be empty/],
    ['an old version', () => ({ maxVersion: 'TLSv1.1' }), 'INVALID_OPTION', /tls\.maxVersion/],
    [
      'a range without a version',
      () => ({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }),
      'INVALID_OPTION',
      /tls\.maxVersion must not be below minVersion/,
    ],
    ['an order that is none', () => ({ honorCipherOrder: 1 }), 'INVALID_OPTION', /CipherOrder/],
    ['a list that is none', () => ({ crl: 'x' }), 'TLS', /^tls\.crl: no start line/],
    ['a certificate as a list', () => ({ crl: one.cert }), 'TLS', /^tls\.crl: no start line/],
    ['a list that is no PEM', () => ({ crl: 1 }), 'INVALID_OPTION', /tls\.crl must be PEM/],
    ['an authority nobody asked for', () => ({ ca: 'x' }), 'TLS', /^tls\.ca: no start line/],
    ['a key of no PEM', () => ({ key: { pem: 1 } }), 'INVALID_OPTION', /tls\.key\.pem must be PEM/],
    ['a typo in a key', () => ({ key: [{ pen: '' }] }), 'INVALID_OPTION', /unknown option: pen/],
    ['a cert without a key', () => ({ key: undefined }), 'INVALID_OPTION', /a key for each cert/],
    ['half a pair and a pfx', () => ({ key: undefined, pfx }), 'INVALID_OPTION', /a key for each/],
    ['an empty pfx', () => ({ pfx: Buffer.alloc(0) }), 'TLS', /^tls\.pfx: empty/],
    ['a pfx that is none', () => ({ pfx: Buffer.from('x') }), 'TLS', /^tls\.pfx: ./],
    ['a locked pfx', () => ({ pfx }), 'TLS', /^tls\.pfx: mac verify failure/],
    [
      'a wrong passphrase',
      () => ({ sni: [{ pfx: { buf: pfx, passphrase: 'wrong' }, passphrase }] }),
      'TLS',
      /^tls\.sni\[0\]\.pfx: mac verify failure/,
    ],
    ['a pfx as text', () => ({ pfx: 'x' }), 'INVALID_OPTION', /tls\.pfx must be a Uint8Array/],
    ['a typo in a pfx', () => ({ pfx: { buff: pfx } }), 'INVALID_OPTION', /unknown option: buff/],
    ['what is obsolete', () => ({ dhparam: 'auto' }), 'INVALID_OPTION', /unknown option: dhparam/],
  ]
  test.each(bad)('%s', async (_, options, code, message) => {
    await expect(listen({ ...one, ...options() })).rejects.toMatchObject(refused(code, message))
  })
})
