import fastify, { type FastifyServerOptions } from 'fastify'
import http from 'node:http'
import http2 from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { StreamManager, type StreamTarget } from '../../dist/index.js'
import { connect } from './client.js'

/** What an event stream is opened on, and the path it was asked for by. */
export type OnEvents = (target: StreamTarget, path: string) => void

/** A server whose requests come to the application in one of the ways there are. */
export interface EventServer {
  readonly port: number
  close(): Promise<unknown>
}

export interface EventServerKind {
  readonly name: string
  readonly http: 1 | 2
  start(onEvents: OnEvents): Promise<EventServer>
}

/** Takes its share of the process's port. */
async function accepted(server: Server): Promise<EventServer> {
  const manager = StreamManager.open()
  manager.accept(server)
  const listening = await manager.listen({ port: 0, host: '127.0.0.1' })
  return { port: listening.port, close: () => listening.close() as unknown as Promise<void> }
}

async function withFastify(onEvents: OnEvents, useHttp2: boolean): Promise<EventServer> {
  // Its types tell the two apart; what we use of them is the same.
  const options = { http2: useHttp2 || undefined, forceCloseConnections: true }
  const app = fastify(options as FastifyServerOptions)
  app.get('/*', (request, reply) => {
    reply.hijack()
    onEvents(reply.raw, request.url)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

/** Its HTTP/2 lives on a thread of ours, or beside node's own in this thread. */
function onReactor(reactors: number): EventServerKind {
  return {
    name: `RequestStream on ${reactors > 0 ? 'a reactor' : 'a reactor in its thread'}`,
    http: 2,
    async start(onEvents) {
      const manager = StreamManager.open({ carrier: 'native', reactors })
      manager.on('stream', (stream, headers) => onEvents(stream, headers[':path']!))
      const listening = await manager.listen({ port: 0, host: '127.0.0.1' })
      return { port: listening.port, close: () => listening.close() as unknown as Promise<void> }
    },
  }
}

export const eventServers: readonly EventServerKind[] = [
  {
    name: 'a stream of node:http2',
    http: 2,
    start(onEvents) {
      const server = http2.createServer()
      server.on('stream', (stream, headers) => onEvents(stream, headers[':path']!))
      return accepted(server)
    },
  },
  {
    name: 'Http2ServerResponse',
    http: 2,
    start(onEvents) {
      const server = http2.createServer((request, response) => onEvents(response, request.url))
      return accepted(server)
    },
  },
  {
    name: 'http.ServerResponse',
    http: 1,
    start(onEvents) {
      const server = http.createServer((request, response) => onEvents(response, request.url!))
      return accepted(server)
    },
  },
  ...([1, 2] as const).map((version) => ({
    name: `RequestStream over HTTP/${version}`,
    http: version,
    start(onEvents: OnEvents) {
      StreamManager.open().on('stream', (stream, headers) => onEvents(stream, headers[':path']!))
      return accepted(version === 1 ? http.createServer() : http2.createServer())
    },
  })),
  ...(StreamManager.carriers().native.available ? [onReactor(1), onReactor(0)] : []),
  ...([1, 2] as const).map((version) => ({
    name: `Fastify’s reply.raw over HTTP/${version}`,
    http: version,
    start: (onEvents: OnEvents) => withFastify(onEvents, version === 2),
  })),
]

/** One request's answer as it comes. */
export interface EventClient {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  text(): string
  ended(): boolean
  close(): void
}

export async function openEvents(
  { http: version }: EventServerKind,
  port: number,
  path = '/',
  headers: Record<string, string> = {},
): Promise<EventClient> {
  let text = ''
  let ended = false
  const read = (body: NodeJS.ReadableStream): void => {
    body.setEncoding('utf8')
    body.on('data', (chunk: string) => (text += chunk))
    body.on('end', () => (ended = true))
    body.on('error', () => {})
  }
  const rest = { text: () => text, ended: () => ended }
  if (version === 2) {
    const session = connect(`http://127.0.0.1:${port}`)
    const request = session.request({ ':path': path, ...headers })
    request.on('error', () => {})
    const [answer] = (await once(request, 'response')) as [http2.IncomingHttpHeaders]
    read(request)
    const status = Number(answer[':status'])
    return { status, headers: answer, ...rest, close: () => session.destroy() }
  }
  const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false })
  request.on('error', () => {})
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
  read(answer)
  const { statusCode = 0, headers: fields } = answer
  return { status: statusCode, headers: fields, ...rest, close: () => request.destroy() }
}
