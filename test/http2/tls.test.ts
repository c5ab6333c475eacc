// Ports that speak TLS, whose HTTP/2 is carried by two reactors. Its clients are node's and curl.
import { execFile } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  StreamManager,
  type Listening,
  type RequestStream,
  type TlsOptions,
} from '../../dist/index.js'
import { certify, type Certified } from '../helpers/certificates.js'
import { connect, get, type Reading } from '../helpers/client.js'
import { until } from '../helpers/wait.js'

const manager = StreamManager.open({ carrier: 'native', reactors: 2 })
const sessions: ClientHttp2Session[] = []
const ports: Listening[] = []
let one: Certified
let other: Certified
let server: https.Server

beforeAll(async () => {
  one = await certify(['one.example', 'localhost'])
  other = await certify(['other.example', '*.wild.example'])
  server = https.createServer(await certify(['node.example']), ({ url }, response) => {
    response.setHeader('connection', 'close').end(`by node: ${url}`)
  })
  manager.accept(server)
  manager.on('stream', (stream, headers) => {
    if (headers[':path'] === '/events') manager.sse(stream).detach().subscribe('events')
    else if (headers[':path'] === '/echo') void echo(stream)
    else stream.end(`${headers[':scheme']} ${headers[':path']}`)
  })
})
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  for (const port of ports.splice(0)) port.close()
  await until('all is forgotten', () => manager.workers().every(({ load }) => load === 0))
})
afterAll(async () => {
  await manager.close()
  server.close()
})

async function echo(stream: RequestStream): Promise<void> {
  for await (const chunk of stream.body) {
    if (!stream.write(chunk)) await stream.drained()
  }
  stream.end()
}

async function listen(options: TlsOptions): Promise<Listening> {
  const listening = await manager.listen({ port: 0, host: '127.0.0.1', tls: options })
  ports.push(listening)
  return listening
}
function client(
  { port }: Listening,
  servername: string,
  options: SecureClientSessionOptions = {},
): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, {
    servername,
    rejectUnauthorized: false,
    ...options,
  })
  sessions.push(session)
  return session
}
const socketOf = (session: ClientHttp2Session): TLSSocket => session.socket as TLSSocket
async function hostOf(session: ClientHttp2Session): Promise<string> {
  if (session.connecting) await once(session, 'connect')
  return String(socketOf(session).getPeerCertificate().subject.CN)
}
async function textOf(reading: Promise<Reading>): Promise<string> {
  const { stream, text } = await reading
  if (!stream.closed) await once(stream, 'close')
  return text()
}
function dial(port: number, options: tls.ConnectionOptions): TLSSocket {
  const socket = tls.connect({
    ...{ port, host: '127.0.0.1', servername: 'one.example', ALPNProtocols: ['h2'] },
    rejectUnauthorized: false,
    ...options,
  })
  // TLS 1.3 sends its tickets once the client reads.
  return socket.on('error', () => {}).resume()
}
/** The body, and the version that was spoken. */
async function curl(port: number, version: string): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', [
    ...['--silent', '--show-error', version, '--insecure', '--write-out', ' %{http_version}'],
    ...['--resolve', `one.example:${port}:127.0.0.1`, `https://one.example:${port}/curl`],
  ])
  return stdout
}
/** The code of what the call throws. */
function codeOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

test('a client that trusts the certificate is answered over HTTP/2', async () => {
  const listening = await listen(one)
  const session = client(listening, 'one.example', { ca: one.cert, rejectUnauthorized: true })
  expect(await textOf(get(session, '/hello'))).toBe('https /hello')
  expect(session.alpnProtocol).toBe('h2')
  expect(socketOf(session).authorized).toBe(true)
})

test('curl is answered over HTTP/2', async () => {
  const { port } = await listen(one)
  expect(await curl(port, '--http2')).toBe('https /curl 2')
})

describe('what is not HTTP/2', () => {
  test('goes to the accepted server, with its certificate', async () => {
    const { port } = await listen(one)
    const reply = await curl(port, '--http1.1')
    expect(reply).toBe('by node: /curl 1.1')
    const socket = dial(port, { ALPNProtocols: [] })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subject.CN).toBe('node.example')
    socket.destroy()
  })

  test('does not come in its way: both are served on one port at once', async () => {
    const { port } = await listen(one)
    const replies = await Promise.all(
      ['--http2', '--http1.1', '--http2', '--http1.1'].map((version) => curl(port, version)),
    )
    expect(replies).toEqual([
      'https /curl 2',
      'by node: /curl 1.1',
      'https /curl 2',
      'by node: /curl 1.1',
    ])
  })
})

test('an event stream over TLS is reached by its topic and its uid', async () => {
  const listening = await listen(one)
  const reading = await get(client(listening, 'one.example'), '/events')
  await until('it is a member', () => manager.subscribers('events').length === 1)
  expect(manager.publish('events', 'to all')).toBe(1)
  expect(manager.send(manager.subscribers('events')[0]!, 'to you')).toBe('queued')
  await until('both came', () => reading.text().includes('data: to all\n\ndata: to you\n\n'))
})

test('a megabyte both ways arrives as it was', async () => {
  const listening = await listen(one)
  const sent = Buffer.alloc(1 << 20, 'abcdefghijklm')
  const stream = client(listening, '').request({ ':path': '/echo', ':method': 'POST' })
  stream.end(sent)
  const received = Buffer.concat(await stream.toArray())
  expect(received.equals(sent)).toBe(true)
})

describe('which certificate a client gets', () => {
  test.each([
    ['one.example', 'one.example'],
    ['other.example', 'other.example'],
    ['OTHER.example', 'other.example'],
    ['any.wild.example', 'other.example'],
    ['two.labels.wild.example', 'one.example'],
    ['wild.example', 'one.example'],
    ['stranger.example', 'one.example'],
    ['', 'one.example'],
  ])('who asks for %j gets that of %s', async (name, expected) => {
    const listening = await listen({ ...one, sni: [other] })
    expect(await hostOf(client(listening, name))).toBe(expected)
  })

  test('names that are given count, not those of the certificate', async () => {
    const listening = await listen({ ...one, sni: [{ ...other, names: ['given.example'] }] })
    expect(await hostOf(client(listening, 'given.example'))).toBe('other.example')
    expect(await hostOf(client(listening, 'other.example'))).toBe('one.example')
  })
})

describe('a client’s own certificate', () => {
  const start = async (options: Partial<TlsOptions>): Promise<Listening> =>
    listen({ ...one, ca: [one.cert], requestCert: true, ...options })

  test('is required, signed by ca', async () => {
    const listening = await start({})
    const known = await certify(['client.example'], one)
    expect(await textOf(get(client(listening, '', known), '/known'))).toBe('https /known')
    for (const [identity, alert] of [
      [{}, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
      [other, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
    ] as const) {
      const [error] = (await once(dial(listening.port, identity), 'error')) as [Error]
      expect(error).toMatchObject({ code: alert })
    }
  })

  test('may be missing or a stranger’s with rejectUnauthorized: false', async () => {
    const listening = await start({ rejectUnauthorized: false })
    for (const identity of [{}, other]) {
      expect(await textOf(get(client(listening, '', identity), '/any'))).toBe('https /any')
    }
  })
})

test('TLS 1.2 is spoken unless minVersion says TLSv1.3', async () => {
  const maxVersion = 'TLSv1.2'
  const both = client(await listen(one), '', { maxVersion })
  expect(await textOf(get(both, '/old'))).toBe('https /old')
  expect(socketOf(both).getProtocol()).toBe('TLSv1.2')
  const strict = await listen({ ...one, minVersion: 'TLSv1.3' })
  const refused = client(strict, '', { maxVersion })
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  expect(await textOf(get(client(strict, ''), '/new'))).toBe('https /new')
})

describe('a session that is resumed', () => {
  /** What a client keeps of its first connection. */
  async function keptBy(port: number, maxVersion: tls.SecureVersion): Promise<Buffer> {
    const socket = dial(port, { maxVersion })
    const [kept] = (await once(socket, 'session')) as [Buffer]
    socket.destroy()
    return kept
  }
  async function isReused(
    port: number,
    session: Buffer,
    maxVersion: tls.SecureVersion = 'TLSv1.3',
  ): Promise<boolean> {
    const socket = dial(port, { session, maxVersion })
    await once(socket, 'secureConnect')
    const reused = socket.isSessionReused()
    socket.destroy()
    return reused
  }
  const versions = ['TLSv1.2', 'TLSv1.3'] as const

  test.each(versions)('goes on at every reactor, with %s', async (version) => {
    const listening = await listen(one)
    const kept = await keptBy(listening.port, version)
    const held: TLSSocket[] = []
    for (let i = 0; i < 4; i++) {
      const socket = dial(listening.port, { session: kept, maxVersion: version })
      await once(socket, 'secureConnect')
      expect(socket.isSessionReused()).toBe(true)
      held.push(socket)
    }
    const loads = manager.workers().filter(({ kind, load }) => kind === 'reactor' && load > 0)
    expect(loads).toHaveLength(2)
    for (const socket of held) socket.destroy()
  })

  test.each(versions)('goes on at node’s own server, and back, with %s', async (version) => {
    const ticketKeys = Buffer.from(Array.from({ length: 48 }, (_, index) => index))
    const listening = await listen({ ...one, ticketKeys })
    const server = tls.createServer({ ...one, ticketKeys, ALPNProtocols: ['h2'] }, (socket) =>
      socket.on('error', () => {}).write('hello'),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await isReused(port, await keptBy(listening.port, version), version)).toBe(true)
    expect(await isReused(listening.port, await keptBy(port, version), version)).toBe(true)
    const stranger = await listen({ ...one, ticketKeys: Buffer.alloc(48, 7) })
    expect(await isReused(stranger.port, await keptBy(port, version), version)).toBe(false)
    server.close()
  })

  test('goes on after a reload, unless the keys were changed', async () => {
    const listening = await listen(one)
    const kept = await keptBy(listening.port, 'TLSv1.3')
    listening.reloadTls(one)
    expect(await isReused(listening.port, kept)).toBe(true)
    listening.reloadTls({ ...one, ticketKeys: Buffer.alloc(48, 1) })
    expect(await isReused(listening.port, kept)).toBe(false)
  })
})

describe('a reload', () => {
  test('gives new connections the new certificate, and ends none of those there are', async () => {
    const listening = await listen(one)
    const before = client(listening, '')
    const reading = await get(before, '/events')
    await until('it is a member', () => manager.subscribers('events').length === 1)
    listening.reloadTls(other)
    expect(await hostOf(client(listening, ''))).toBe('other.example')
    expect(await hostOf(before)).toBe('one.example')
    manager.publish('events', 'still here')
    await until('it came', () => reading.text().includes('data: still here\n\n'))
    expect(await textOf(get(before, '/again'))).toBe('https /again')
  })

  test('that cannot be done changes nothing', async () => {
    const listening = await listen(one)
    expect(codeOf(() => listening.reloadTls({ cert: other.cert, key: one.key }))).toBe(
      'ERR_HOLDFAST_TLS',
    )
    expect(codeOf(() => listening.reloadTls({ ...other, ciphers: 7 } as never))).toBe(
      'ERR_HOLDFAST_INVALID_OPTION',
    )
    expect(await hostOf(client(listening, ''))).toBe('one.example')
  })

  test('of a port that was closed, or speaks no TLS, is refused', async () => {
    const closed = await listen(one)
    closed.close()
    expect(codeOf(() => closed.reloadTls(one))).toBe('ERR_HOLDFAST_CLOSED')
    const clear = await manager.listen({ port: 0, host: '127.0.0.1' })
    ports.push(clear)
    expect(codeOf(() => clear.reloadTls(one))).toBe('ERR_HOLDFAST_INVALID_ARGUMENT')
  })
})

describe('what cannot be used is refused before there is a port', () => {
  const bad: [string, (given: Certified) => object, string, RegExp][] = [
    ['no certificate', ({ key }) => ({ key, cert: '' }), 'TLS', /tls\.cert: empty/],
    ['no PEM', ({ key }) => ({ key, cert: 'x' }), 'TLS', /tls\.cert: no start line/],
    ['no key', ({ cert }) => ({ cert, key: cert }), 'TLS', /tls\.key: /],
    ['the key of another', ({ cert }) => ({ cert, key: other.key }), 'TLS', /tls\.key: .*mismatch/],
    ['unknown ciphers', (given) => ({ ...given, ciphers: 'NONE-SUCH' }), 'TLS', /tls\.ciphers: /],
    ['clients but no ca', (given) => ({ ...given, requestCert: true }), 'TLS', /tls\.ca: empty/],
    [
      'a further certificate that is none',
      (given) => ({ ...given, sni: [other, { ...other, cert: 'x' }] }),
      'TLS',
      /tls\.sni\[1\]\.cert: no start line/,
    ],
    [
      'a name that is none',
      (given) => ({ ...given, sni: [{ ...other, names: ['*'] }] }),
      'TLS',
      /tls\.sni\[0\]\.names: '\*'/,
    ],
    ['neither', () => ({}), 'INVALID_OPTION', /tls\.cert must be PEM/],
    ['nothing', () => [], 'INVALID_OPTION', /tls\.cert must be PEM/],
    [
      'two for one',
      (given) => ({ ...given, cert: [given.cert, given.cert] }),
      'INVALID_OPTION',
      /a key for each/,
    ],
    ['a typo', (given) => ({ ...given, certs: 1 }), 'INVALID_OPTION', /unknown option: certs/],
    [
      'a typo below',
      (given) => ({ ...given, sni: [{ ...other, name: '' }] }),
      'INVALID_OPTION',
      /unknown option: name/,
    ],
    [
      'short keys',
      (given) => ({ ...given, ticketKeys: Buffer.alloc(32) }),
      'INVALID_OPTION',
      /48 bytes/,
    ],
    [
      'an old version',
      (given) => ({ ...given, minVersion: 'TLSv1.1' }),
      'INVALID_OPTION',
      /minVersion/,
    ],
    [
      'a long context',
      (given) => ({ ...given, sessionIdContext: 'x'.repeat(33) }),
      'TLS',
      /32 bytes/,
    ],
  ]
  test.each(bad)('%s', async (_, options, code, message) => {
    await expect(
      manager.listen({ port: 0, host: '127.0.0.1', tls: options(one) }),
    ).rejects.toMatchObject({
      code: `ERR_HOLDFAST_${code}`,
      message: expect.stringMatching(message) as string,
    })
  })
})

test('an encrypted key is read with its passphrase, and without it refused', async () => {
  const passphrase = 'open, sesame'
  const key = createPrivateKey(one.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
    .toString()
  const listening = await listen({ cert: one.cert, key, passphrase })
  expect(await textOf(get(client(listening, ''), '/secret'))).toBe('https /secret')
  await expect(listen({ cert: one.cert, key })).rejects.toMatchObject({ code: 'ERR_HOLDFAST_TLS' })
  const wrong = listen({ cert: one.cert, key, passphrase: 'no' })
  await expect(wrong).rejects.toMatchObject({ code: 'ERR_HOLDFAST_TLS' })
})
