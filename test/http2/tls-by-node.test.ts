// A port with `tls` where OpenSSL cannot be used from native code: all of it is for node's own servers.
import { createRequire } from 'node:module'
import http2 from 'node:http2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StreamManager, type Listening } from '../../dist/index.js'
import { certify, type Certified } from '../helpers/certificates.js'
import { connect, get } from '../helpers/client.js'
import { top } from '../helpers/repository.js'
import { until } from '../helpers/wait.js'

const require = createRequire(import.meta.url)
const addon = (require('node-gyp-build') as (folder: string) => object)(top)
const why = 'SSL_new is not exported'
let manager: StreamManager
let server: http2.Http2SecureServer
let listening: Listening
let own: Certified
let given: Certified

beforeAll(async () => {
  Object.assign(addon, { carrierOfTls: () => why })
  own = await certify(['own.example'])
  given = await certify(['given.example'])
  manager = StreamManager.open({ carrier: 'native', reactors: 1 })
  manager.on('stream', (stream) => stream.end('answered'))
  server = http2.createSecureServer(own)
  manager.accept(server)
  listening = await manager.listen({ port: 0, host: '127.0.0.1', tls: given })
})
afterAll(async () => {
  await manager.close()
  server.close()
})

test('carriers() says why', () => {
  expect(StreamManager.carriers().nativeTls).toEqual({ available: false, reason: why })
})

test('HTTP/2 over TLS is answered through the accepted server, also after a reload', async () => {
  listening.reloadTls(given)
  const session = connect(`https://127.0.0.1:${listening.port}`, {
    servername: 'own.example',
    ca: own.cert,
  })
  const reading = await get(session)
  await until('it answered', () => reading.text() === 'answered')
  const loads = manager.workers().map(({ kind, load }) => [kind, load])
  expect(loads).toContainEqual(['reactor', 0])
  session.destroy()
})

test('what is wrong in form is refused all the same', async () => {
  const wrong = { ...given, ticketKeys: new Uint8Array(1) }
  expect(() => listening.reloadTls(wrong)).toThrow(/48 bytes/)
  await expect(manager.listen({ tls: wrong })).rejects.toThrow(/48 bytes/)
})
