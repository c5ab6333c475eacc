import http2 from 'node:http2'
import type { Server } from 'node:net'
import { StreamManager, type ManagedStream, type ManagerOptions } from '../../dist/index.js'
import { carrierOptions } from './carrier.js'

/** A manager of the test's own thread that serves one port. */
export interface TestServer {
  readonly manager: StreamManager
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

export async function serve(server: Server, options: ManagerOptions = {}): Promise<TestServer> {
  const manager = StreamManager.open({ ...carrierOptions, ...options })
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
  manager.accept(server)
  return {
    manager,
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      await manager.close()
      server.close()
    },
  }
}

/** Every request becomes a detached event stream; `onStream` sees each. */
export function sseServer(
  onStream: (stream: ManagedStream, path: string) => void,
): http2.Http2Server {
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    const managed = StreamManager.open().sse(stream).detach()
    onStream(managed, headers[':path'] ?? '')
  })
  return server
}
