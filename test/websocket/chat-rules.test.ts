import { once } from 'node:events'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  ChatClients,
  heardBy,
  heardIn,
  listsOf,
  newSecret,
  query,
  refusalOf,
  saying,
  textsOf,
} from '../helpers/chat-client.js'
import { get } from '../helpers/client.js'
import { killDemos, launchDemo, type Demo } from '../helpers/demo.js'
import { until } from '../helpers/wait.js'
import { Http2WebSocket } from '../helpers/websocket.js'

// What the chat's own page never sends, others may.

let demo: Demo
let clients: ChatClients
beforeAll(async () => {
  demo = await launchDemo('chat/main.js')
  clients = new ChatClients(demo)
})
afterEach(() => clients.close())
afterAll(killDemos)

async function post(
  session: ClientHttp2Session,
  body: string,
  type = 'application/json',
): Promise<number> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/api/say',
    'content-type': type,
  })
  const response = once(stream, 'response') as Promise<
    [IncomingHttpHeaders & { ':status': number }]
  >
  stream.end(body)
  const [headers] = await response
  stream.resume()
  return headers[':status']
}

it.each([
  ['a room with a slash', { room: 'a/b' }],
  ['a room that is too long', { room: 'x'.repeat(25) }],
  ['no name', { name: ' ' }],
  ['a name that is too long', { name: 'x'.repeat(25) }],
  ['a name with a control character', { name: 'a\u0007b' }],
  ['a name that turns the text around it', { name: 'a\u202eb' }],
  ['a short secret', { secret: 'short' }],
])('%s is refused by either transport, and nobody sees it', async (_, fields) => {
  const watcher = await clients.open()
  const socket = await clients.open(fields)
  expect(await refusalOf(socket)).toBeTruthy()
  await socket.close()
  expect(socket.closeCode).toBe(4000)
  const events = await get(clients.dial(), `/events?${query(fields)}`)
  await until('it was closed', events.closed)
  expect(heardIn(events)).toEqual([expect.objectContaining({ type: 'refused' })])

  await clients.open({ name: 'Last' })
  const names = () => listsOf(heardBy(watcher)).flat()
  await until('the last was seen', () => names().includes('Last'))
  expect([...new Set(names())].sort()).toEqual(['Ada', 'Last'])
})

it('pages of other origins come in by none of the three ways', async () => {
  const headers = { origin: 'https://elsewhere.example' }
  const session = clients.dial()
  const path = `/socket?${query({})}`
  const extended = await Http2WebSocket.open(session, { path, headers })
  expect(extended.status).toBe(403)
  expect((await get(session, `/events?${query({})}`, headers)).status).toBe(403)
  const upgrade = new WebSocket(new URL(path, demo.url.replace('https', 'wss')), {
    rejectUnauthorized: false,
    headers,
  })
  const [error] = (await once(upgrade, 'error')) as [Error]
  expect(error.message).toContain('403')

  const own = new WebSocket(new URL(path, demo.url.replace('https', 'wss')), {
    rejectUnauthorized: false,
    origin: new URL(demo.url).origin,
  })
  const [first] = (await once(own, 'message')) as [Buffer]
  expect(JSON.parse(String(first))).toMatchObject({ type: 'hello', via: 'WebSocket over HTTP/1.1' })
  own.terminate()
})

it('what is no message, or too long, reaches nobody and its sender is told', async () => {
  const room = 'rules'
  const socket = await clients.open({ room })
  const bad = [
    'no JSON',
    '1',
    JSON.stringify({ type: 'dance' }),
    JSON.stringify({ type: 'say', nonce: '<', text: 'x' }),
    saying(1),
    saying(' \n'),
    saying('x'.repeat(1001)),
  ]
  for (const [i, text] of bad.entries()) {
    socket.send(text)
    const refused = () => heardBy(socket).filter(({ type }) => type === 'refused').length
    await until(`refusal ${i}`, () => refused() === i + 1)
  }
  socket.send(saying('x'.repeat(1000)))
  await until('the longest came', () => textsOf(heardBy(socket)).length > 0)
  expect(textsOf(heardBy(socket))).toEqual(['x'.repeat(1000)])
  // More than any message takes ends the WebSocket: 1009.
  socket.send('x'.repeat(20_000))
  await until('it was closed', () => socket.closeCode === 1009)
})

it('who speaks too fast is refused, whatever the connection, and others are not', async () => {
  const room = 'fast'
  const secret = newSecret()
  const socket = await clients.open({ room, secret })
  const other = await clients.open({ room })
  for (let i = 0; i < 30; i++) socket.send(saying(`${i}`))
  expect(await refusalOf(socket)).toMatch(/too fast/)
  // The same person by POST, over further connections, which further threads may hold.
  const events = await get(clients.dial(), `/events?${query({ room, secret })}`)
  await until('it said hello', () => heardIn(events).length > 0)
  const { uid } = heardIn(events)[0]!
  const body = () => JSON.stringify({ ...(JSON.parse(saying('x')) as object), uid, secret })
  const statuses = await Promise.all(Array.from({ length: 8 }, () => post(clients.dial(), body())))
  // The clock gives back one word in 750 ms.
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(4)
  other.send(saying('at my leisure'))
  await until('the other is heard', () => textsOf(heardBy(socket)).includes('at my leisure'))
})

it('a path that no URL is made of ends no thread', async () => {
  const session = clients.dial()
  const asked = session.request(
    {
      ...{ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '//', ':scheme': 'https' },
      'sec-websocket-version': '13',
    },
    { endStream: false },
  )
  const [answer] = (await once(asked, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  expect(answer[':status']).toBe(404)
  asked.destroy()
  // The same thread answers.
  const again = await get(session, '/')
  expect(again.status).toBe(200)
  expect((await get(session, '//')).status).toBe(404)
})

it('nobody speaks by POST as somebody else, after leaving, or as a page of another origin', async () => {
  const secret = newSecret()
  const room = 'posts'
  const session = clients.dial()
  const events = await get(session, `/events?${query({ room, secret })}`)
  await until('it said hello', () => heardIn(events).length > 0)
  const { uid } = heardIn(events)[0]!
  const body = (fields: object) =>
    JSON.stringify({ ...(JSON.parse(saying('hello')) as object), uid, secret, ...fields })
  expect(await post(clients.dial(), body({ secret: newSecret() }))).toBe(410)
  expect(await post(clients.dial(), body({ uid: 'x' }))).toBe(400)
  expect(await post(clients.dial(), '{')).toBe(400)
  expect(await post(clients.dial(), body({ text: '' }))).toBe(400)
  expect(await post(clients.dial(), body({ text: 'x'.repeat(20_000) }))).toBe(413)
  expect(await post(clients.dial(), body({}), 'text/plain')).toBe(415)
  expect(await post(clients.dial(), body({}))).toBe(202)
  await until('it was heard', () => textsOf(heardIn(events)).length > 0)
  expect(textsOf(heardIn(events))).toEqual(['hello'])
  session.destroy()
  const closed = async () => (await post(clients.dial(), body({}))) === 410
  await until('it has left', closed)
})
