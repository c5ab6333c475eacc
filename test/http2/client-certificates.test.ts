// Who the client is, as a handler is told: by the certificate that its connection was made with.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import http2, { type ClientHttp2Session, type SecureServerOptions } from 'node:http2'
import https from 'node:https'
import tls from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  fetchListener,
  type Listening,
  type RequestStream,
  type TlsOptions,
} from '../../dist/index.js'
import { certify, type Certified } from '../helpers/certificates.js'
import { revoke } from '../helpers/openssl.js'
import { collected } from '../helpers/garbage.js'
import { ask, outside, type Handler } from '../helpers/requests.js'
import { serve, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let own: Certified
let authority: Certified
let ann: Certified
let bob: Certified
let stranger: Certified
let server: TestServer | undefined
const sessions: ClientHttp2Session[] = []

beforeAll(async () => {
  own = await certify(['server.example'])
  authority = await certify(['authority.example'])
  ann = await certify(['ann.example'], authority)
  bob = await certify(['bob.example'], authority)
  stranger = await certify(['stranger.example'])
})
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await server?.close()
  server = undefined
})

/** What a handler finds. */
interface Found {
  readonly name: string | undefined
  readonly authorized: boolean
  readonly error: string | undefined
}
function find(stream: RequestStream): Found {
  const { authorized, authorizationError: error } = stream
  return { name: stream.getPeerX509Certificate()?.subject, authorized, error }
}
const trusted = (host: string): Found => ({
  name: `CN=${host}`,
  authorized: true,
  error: undefined,
})
const refused = (host: string, error: string): Found => ({
  name: `CN=${host}`,
  authorized: false,
  error,
})
const unasked: Found = { name: undefined, authorized: false, error: undefined }
const missing: Found = { ...unasked, error: 'UNABLE_TO_GET_ISSUER_CERT' }

const tell: Handler = (stream) =>
  stream.end(JSON.stringify(find(stream), (_, value: unknown) => value ?? null))
async function listen(options: Partial<TlsOptions> = {}, handler = tell): Promise<TestServer> {
  const all = { ...own, ca: authority.cert, requestCert: true, ...options }
  const served = { ...(all as SecureServerOptions), allowHTTP1: true }
  server = await serve(http2.createSecureServer(served), {}, { tls: all })
  server.manager.on('stream', handler)
  return server
}
const untrusting = { rejectUnauthorized: false }

function connect(
  { port }: Pick<Listening, 'port'>,
  options: tls.ConnectionOptions = {},
): ClientHttp2Session {
  const socket = tls.connect({
    ...{ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false },
    ...options,
  })
  const session = http2.connect('https://server.example', { createConnection: () => socket })
  sessions.push(session.on('error', () => {}))
  return session
}
function read(text: string): Found {
  return JSON.parse(text, (key, value: unknown) =>
    key !== '' ? (value ?? undefined) : value,
  ) as Found
}
/** What the handler of a request over that session finds. */
async function found(session: ClientHttp2Session): Promise<Found> {
  return { ...unasked, ...read((await ask(session, '/')).text) }
}

describe('a client with a certificate', () => {
  test('is known to every request of its session, by the certificate itself', async () => {
    const seen: (X509Certificate | undefined)[] = []
    const port = await listen({}, (stream, headers) => {
      seen.push(stream.getPeerX509Certificate())
      tell(stream, headers)
    })
    const session = connect(port, ann)
    for (let i = 0; i < 3; i++) expect(await found(session)).toEqual(trusted('ann.example'))
    const more = await Promise.all(Array.from({ length: 20 }, () => found(session)))
    expect(more).toEqual(Array.from({ length: 20 }, () => trusted('ann.example')))
    expect(new Set(seen).size).toBe(1)
    expect(seen[0]!.raw).toEqual(new X509Certificate(ann.cert).raw)
  })

  test('is told from another at the same time, request by request', async () => {
    const port = await listen(untrusting)
    const expected = [
      trusted('ann.example'),
      trusted('bob.example'),
      refused('stranger.example', 'DEPTH_ZERO_SELF_SIGNED_CERT'),
      missing,
    ]
    const clients = [ann, bob, stranger, {}].map((identity) => connect(port, identity))
    const rounds = await Promise.all(
      Array.from({ length: 12 }, () => Promise.all(clients.map(found))),
    )
    expect(rounds).toEqual(rounds.map(() => expected))
  })

  test('leaves nothing to the next one in its place', async () => {
    const port = await listen(untrusting)
    const order: [Partial<Certified>, Found][] = [
      [ann, trusted('ann.example')],
      [{}, missing],
      [bob, trusted('bob.example')],
      [{}, missing],
    ]
    for (const [identity, expected] of [...order, ...order]) {
      const session = connect(port, identity)
      expect(await found(session)).toEqual(expected)
      session.destroy()
      await until('it is forgotten', () => port.manager.workers().every(({ load }) => load === 0))
    }
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is known when it resumes its session, as it was found before, with %s',
    async (maxVersion) => {
      const port = await listen(untrusting)
      const clients: [Partial<Certified>, Found][] = [
        [ann, trusted('ann.example')],
        [stranger, refused('stranger.example', 'DEPTH_ZERO_SELF_SIGNED_CERT')],
        [{}, missing],
      ]
      for (const [identity, expected] of clients) {
        const first = connect(port, { ...identity, maxVersion })
        const ticket = once(first.socket, 'session') as Promise<[Buffer]>
        expect(await found(first)).toEqual(expected)
        const resumed = connect(port, { maxVersion, session: (await ticket)[0] })
        expect(await found(resumed)).toEqual(expected)
        expect(await found(resumed)).toEqual(expected)
        expect((resumed.socket as tls.TLSSocket).isSessionReused()).toBe(true)
      }
    },
  )

  test('is known to a handler that asks when its connection is gone', async () => {
    const late: Found[] = []
    const streams: RequestStream[] = []
    const port = await listen(untrusting, (stream) => {
      stream.signal.addEventListener('abort', () => {
        void outside().then(() => late.push(find(stream)))
      })
      streams.push(stream)
    })
    for (const [identity, expected] of [
      [ann, trusted('ann.example')],
      [{}, missing],
    ] as const) {
      const session = connect(port, identity)
      session.request({ ':path': '/' }).on('error', () => {})
      await until('it is asked', () => streams.length === 1)
      session.destroy()
      await until('it is gone', () => late.length === 1)
      expect(late).toEqual([expected])
      expect(find(streams[0]!)).toEqual(expected)
      late.length = streams.length = 0
    }
  })

  test('is let go of when its connection has gone', async () => {
    const seen: WeakRef<X509Certificate>[] = []
    const port = await listen({}, (stream, headers) => {
      seen.push(new WeakRef(stream.getPeerX509Certificate()!))
      tell(stream, headers)
    })
    const session = connect(port, ann)
    expect(await found(session)).toEqual(trusted('ann.example'))
    session.destroy()
    await collected(seen[0]!)
  })

  test('is known to a fetch handler', async () => {
    const port = await listen(
      {},
      fetchListener((_, { stream }) => Response.json(find(stream))),
    )
    expect(await found(connect(port, bob))).toEqual(trusted('bob.example'))
  })

  test('is known over HTTP/1.1, to every request of its connection', async () => {
    const port = await listen(untrusting)
    for (const [identity, expected] of [
      [ann, trusted('ann.example')],
      [stranger, refused('stranger.example', 'DEPTH_ZERO_SELF_SIGNED_CERT')],
      [{}, missing],
    ] as const) {
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; i < 2; i++) {
        const options = { ...identity, agent, port: port.port, rejectUnauthorized: false }
        const [response] = (await once(https.get(options), 'response')) as [NodeJS.ReadableStream]
        let text = ''
        for await (const chunk of response) text += String(chunk)
        expect({ ...unasked, ...read(text) }).toEqual(expected)
      }
      agent.destroy()
    }
  })
})

describe('why a client is not trusted', () => {
  const failures: [string, () => Promise<[Certified, Partial<TlsOptions>?]>][] = [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', async () => [stranger]],
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      async () => [await certify(['leaf.example'], await certify(['other.example']))],
    ],
    [
      'CERT_HAS_EXPIRED',
      async () => [await certify(['old.example'], authority, new Date(Date.now() - 1000))],
    ],
    ['CERT_REVOKED', async () => [bob, { crl: await revoke(authority, [bob]) }]],
    ['UNABLE_TO_GET_CRL', async () => [bob, { crl: await revoke(stranger) }]],
  ]
  test.each(failures)('is told in node’s words: %s', async (error, make) => {
    const [client, options] = await make()
    const port = await listen({ ...untrusting, ...options })
    const name = new X509Certificate(client.cert).subject
    expect(await found(connect(port, client))).toEqual({ name, authorized: false, error })
  })
})

describe('nothing is known of a client', () => {
  test('that was not asked', async () => {
    expect(await found(connect(await listen({ requestCert: false }), ann))).toEqual(unasked)
  })

  test('that is not asked any more, though it has shown one and resumes', async () => {
    const ticketKeys = Buffer.alloc(48, 7)
    const first = connect(await listen({ ticketKeys }), ann)
    const ticket = once(first.socket, 'session') as Promise<[Buffer]>
    expect(await found(first)).toEqual(trusted('ann.example'))
    const session = (await ticket)[0]
    first.destroy()
    await server!.close()
    const resumed = connect(await listen({ ticketKeys, requestCert: false }), { session })
    expect(await found(resumed)).toEqual(unasked)
    expect((resumed.socket as tls.TLSSocket).isSessionReused()).toBe(true)
  })

  test('without TLS', async () => {
    server = await serve(http2.createServer())
    server.manager.on('stream', tell)
    const session = http2.connect(server.url)
    sessions.push(session)
    expect(await found(session)).toEqual(unasked)
  })
})
