import http from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import https from 'node:https'
import type { Server } from 'node:net'
import { generate } from 'selfsigned'
import {
  StreamManager,
  type ManagerOptions,
  type StreamClose,
  type WebSocketOptions,
  type WebSocketStream,
} from '../../dist/index.js'
import { isNative } from './carrier.js'
import { serveStreams, type TestServer } from './server.js'

export type Transport = 'h2' | 'h2-tls' | 'http1' | 'http1-tls'
export const transports: readonly Transport[] = ['h2', 'h2-tls', 'http1', 'http1-tls']

export interface WebSocketServer extends TestServer {
  /** Those that were opened, in their order. */
  readonly sockets: WebSocketStream[]
  readonly closes: StreamClose[]
}

export interface WebSocketServerOptions extends WebSocketOptions {
  manager?: ManagerOptions
  /** Default: it echoes. */
  onSocket?: (socket: WebSocketStream, headers: IncomingHttpHeaders) => void
}

function echo(socket: WebSocketStream): void {
  socket.on('message', (data) => socket.send(data))
}

/** A server of the test's own thread whose every request for a WebSocket is granted. */
export async function serveWebSockets(
  transport: Transport,
  { manager: managerOptions = {}, onSocket = echo, ...options }: WebSocketServerOptions = {},
): Promise<WebSocketServer> {
  const sockets: WebSocketStream[] = []
  const closes: StreamClose[] = []
  const { server, identity } = await make(transport)
  const keep = (socket: WebSocketStream | undefined, headers: IncomingHttpHeaders): void => {
    if (!socket) return
    sockets.push(socket)
    socket.on('close', (close) => closes.push(close))
    onSocket(socket, headers)
  }
  server.on('upgrade', (request: http.IncomingMessage, _socket: unknown, head: Buffer) => {
    keep(StreamManager.open().websocket(request, head, options), request.headers)
  })
  const test = await serveStreams(
    (stream, headers) => {
      keep(StreamManager.open().websocket(stream, headers, options), headers)
    },
    managerOptions,
    server,
    // A reactor speaks TLS by itself. HTTP/1.1 over TLS is for the server.
    isNative && transport === 'h2-tls' ? { tls: identity! } : {},
  )
  const scheme = transport.endsWith('tls') ? 'https' : 'http'
  return { ...test, url: `${scheme}://127.0.0.1:${test.port}`, sockets, closes }
}

interface Made {
  server: Server
  identity?: { cert: string; key: string }
}

async function make(transport: Transport): Promise<Made> {
  const settings = { enableConnectProtocol: true, maxConcurrentStreams: 1000 }
  if (transport === 'h2') return { server: http2.createServer({ settings }) }
  if (transport === 'http1') return { server: http.createServer() }
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
  const identity = { cert, key }
  if (transport === 'http1-tls') return { server: https.createServer(identity), identity }
  const options = { ...identity, settings, allowHTTP1: true }
  return { server: http2.createSecureServer(options), identity }
}

/** Whether the thread itself holds a WebSocket, or a reactor. */
export function holderOf(manager: StreamManager, { uid }: WebSocketStream): string | undefined {
  const { worker } = manager.find(uid)!
  return manager.workers().find(({ id }) => id === worker)?.kind
}
/** Which of the two it is to be. */
export const holderOver = (transport: Transport): string =>
  isNative && transport.startsWith('h2') ? 'reactor' : 'thread'
