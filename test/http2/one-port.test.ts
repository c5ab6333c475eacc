// One port of the native carrier: HTTP/2 goes to a reactor, all else to the accepted server of a thread.
import { execFile } from 'node:child_process'
import http from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StreamManager } from '../../dist/index.js'
import { connect, get } from '../helpers/client.js'
import { until } from '../helpers/wait.js'

const manager = StreamManager.open({ carrier: 'native', reactors: 1 })
const server = http.createServer()
let port = 0

beforeAll(async () => {
  manager.on('stream', (stream, headers) => {
    if (headers[':path'] === '/events') manager.sse(stream).detach().send('hello')
    else {
      stream.respond({ ':status': 200 })
      stream.end('answered')
    }
  })
  manager.accept(server)
  port = (await manager.listen({ port: 0, host: '127.0.0.1' })).port
})
afterAll(async () => {
  await manager.close()
  server.close()
})

/** What curl says of it: the body, and the version that was spoken. */
async function curl(...words: string[]): Promise<string> {
  const url = `http://127.0.0.1:${port}/`
  const { stdout } = await promisify(execFile)('curl', [
    '-sS',
    '-w',
    ' %{http_version}',
    ...words,
    url,
  ])
  return stdout
}
/** Streams held by workers of a kind. */
const streamsOf = (kind: string) =>
  manager
    .workers()
    .filter((worker) => worker.kind === kind)
    .reduce((all, { streams }) => all + streams, 0)

/** A connection that has said so much; its bytes are read by the server alone. */
async function say(...pieces: string[]): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve))
  }
  return socket
}

test('curl is answered over HTTP/2 with prior knowledge, and over HTTP/1.1, on one port', async () => {
  expect(await curl('--http2-prior-knowledge')).toBe('answered 2')
  expect(await curl('--http1.1')).toBe('answered 1.1')
})

test('an event stream of HTTP/2 lives on the reactor, one of HTTP/1.1 on the thread', async () => {
  const session = connect(`http://127.0.0.1:${port}`)
  const reading = await get(session, '/events')
  await until('its event', () => reading.text() === 'data: hello\n\n')
  expect([streamsOf('reactor'), streamsOf('thread')]).toEqual([1, 0])
  const request = http.get({ port, host: '127.0.0.1', path: '/events', agent: false })
  request.on('error', () => {})
  await until('the other', () => streamsOf('thread') === 1)
  expect(streamsOf('reactor')).toBe(1)
  request.destroy()
  session.destroy()
  await until('both have gone', () => streamsOf('reactor') + streamsOf('thread') === 0)
})

test('a request that comes in pieces goes where it belongs', async () => {
  const socket = await say('G', 'E', 'T / HTTP/1.1\r\n', 'Host: localhost\r\n\r\n')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  await until('the answer', () => text.includes('answered'))
  socket.destroy()
})

test('a peer that leaves before it has said enough is counted, and holds nothing', async () => {
  const { connectionsAbandoned } = manager.stats()
  for (const said of ['', 'P', 'PRI * HTTP/']) (await say(said)).destroy()
  await until(
    'all are counted',
    () => manager.stats().connectionsAbandoned === connectionsAbandoned + 3,
  )
})
