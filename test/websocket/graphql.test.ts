import { EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import type * as Graphql from 'graphql'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { afterEach, expect, it } from 'vitest'
import { WebSocket, type WebSocketServer } from 'ws'
import { StreamManager, type WebSocketFace } from '../../dist/index.js'
import { until } from '../helpers/wait.js'
import { connect } from '../helpers/client.js'
import { serveWebSockets } from '../helpers/websocket-server.js'
import { Http2WebSocket } from '../helpers/websocket.js'

// The copy that graphql-ws loads: schemas of another are refused.
const { buildSchema } = createRequire(import.meta.url)('graphql') as typeof Graphql

afterEach(() => StreamManager.open().close())

/** What graphql-ws uses of a `ws` server: its clients and its `connection` event. */
class Connections extends EventEmitter {
  readonly clients = new Set<WebSocketFace>()
  readonly options = {}
  close(done: () => void): void {
    done()
  }
}

async function serveGraphql(transport: 'h2' | 'http1') {
  const connections = new Connections()
  const schema = buildSchema(`
    type Query { hello: String }
    type Subscription { count(to: Int!): Int }
  `)
  async function* count({ to }: { to: number }) {
    for (let i = 1; i <= to; i++) yield { count: i }
  }
  const disposable = useServer(
    { schema, roots: { query: { hello: () => 'world' }, subscription: { count } } },
    connections as unknown as WebSocketServer,
    // Long enough that a busy machine gets through the rest of a test before.
    500,
  )
  const server = await serveWebSockets(transport, {
    protocols: ['graphql-transport-ws'],
    onSocket(stream, headers) {
      const face = stream.toWebSocket()
      expect(stream.toWebSocket()).toBe(face)
      connections.clients.add(face)
      face.on('close', () => connections.clients.delete(face))
      connections.emit('connection', face, { headers })
    },
  })
  return { ...server, connections, disposable }
}

it('graphql-ws serves queries and subscriptions over HTTP/1.1, to its own client', async () => {
  const server = await serveGraphql('http1')
  const client = createClient({
    url: server.url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  })
  const got: unknown[] = []
  for await (const result of client.iterate({ query: '{ hello }' })) got.push(result.data)
  for await (const result of client.iterate({ query: 'subscription { count(to: 3) }' })) {
    got.push(result.data)
  }
  expect(got).toEqual([{ hello: 'world' }, { count: 1 }, { count: 2 }, { count: 3 }])
  await client.dispose()
  await until('closed', () => server.connections.clients.size === 0)
  expect(server.closes[0]).toMatchObject({ code: 1000 })
  await server.close()
})

it('graphql-ws serves a client over HTTP/2, pings it, and closes one that breaks its rules', async () => {
  const server = await serveGraphql('h2')
  const session = connect(server.url)
  const headers = { 'sec-websocket-protocol': 'graphql-transport-ws' }
  const client = await Http2WebSocket.open(session, { headers })
  const pinged = once(client, 'ping')
  expect(client.headers['sec-websocket-protocol']).toBe('graphql-transport-ws')
  client.send(JSON.stringify({ type: 'connection_init' }))
  expect(await client.next(1)).toEqual(['{"type":"connection_ack"}'])
  client.send(
    JSON.stringify({
      id: '1',
      type: 'subscribe',
      payload: { query: 'subscription { count(to: 2) }' },
    }),
  )
  await client.next(4)
  expect(
    client.messages.slice(1).map((text) => (JSON.parse(String(text)) as { type: string }).type),
  ).toEqual(['next', 'next', 'complete'])
  await pinged
  // Unanswered, as this client is not asked to: graphql-ws terminates it.
  await until('terminated', () => client.isClosed)
  await until('closed', () => server.closes.length === 1)
  expect(server.closes[0]!.code).toBe(1006)

  const rude = await Http2WebSocket.open(session, { headers })
  rude.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: '{ hello }' } }))
  await until('closed', () => rude.closeCode)
  expect(rude.closeCode).toBe(4401)
  expect(rude.closeReason).toBe('Unauthorized')
  session.destroy()
  await server.disposable.dispose()
  await server.close()
})
