import http2 from 'node:http2'
import type { Server } from 'node:net'
import {
  StreamManager,
  type ListenOptions,
  type ManagedStream,
  type ManagerOptions,
  type RequestStream,
} from '../../dist/index.js'
import { carrierOptions, isNative } from './carrier.js'

/** A manager of the test's own thread that serves one port. */
export interface TestServer {
  readonly manager: StreamManager
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

export async function serve(
  server: Server,
  options: ManagerOptions = {},
  port: ListenOptions = {},
): Promise<TestServer> {
  const manager = StreamManager.open({ ...carrierOptions, ...options })
  const listening = await manager.listen({ port: 0, host: '127.0.0.1', ...port })
  manager.accept(server)
  return {
    manager,
    port: listening.port,
    url: `http://127.0.0.1:${listening.port}`,
    async close() {
      await manager.close()
      server.close()
    },
  }
}

type HttpStream = http2.ServerHttp2Stream | RequestStream

/**
 * A server whose requests go to `take`: by its own event, or, where HTTP/2 is carried natively, by
 * the manager's.
 */
export async function serveStreams(
  take: (stream: HttpStream, headers: http2.IncomingHttpHeaders) => void,
  options: ManagerOptions = {},
  server: Server = http2.createServer(),
  port: ListenOptions = {},
): Promise<TestServer> {
  const serving = await serve(server, options, port)
  if (isNative) serving.manager.on('stream', take)
  else server.on('stream', take)
  return serving
}

/** Every request becomes a detached event stream; `onStream` sees each. */
export function serveEvents(
  onStream: (stream: ManagedStream, path: string) => void,
  options: ManagerOptions = {},
): Promise<TestServer> {
  return serveStreams((stream, headers) => {
    onStream(StreamManager.open().sse(stream).detach(), headers[':path'] ?? '')
  }, options)
}
