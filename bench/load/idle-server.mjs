// One server of idle.mjs: holds event streams, and tells what is resident.
import http2 from 'node:http2'
import { StreamManager } from 'holdfast'
import { certificate } from '../lib/certificate.mjs'
import { answerParent } from '../lib/peer.mjs'
import { residentBytes } from '../lib/resident.mjs'

const [contender, scheme] = process.argv.slice(2)
const tls = scheme === 'https' ? await certificate() : undefined
const events = { ':status': 200, 'content-type': 'text/event-stream' }

/** Each resolves with where it listens, and how many streams it has open. */
const servers = {
  async bare() {
    let open = 0
    const options = { settings: { maxConcurrentStreams: 200 } }
    const server = tls
      ? http2.createSecureServer({ ...options, ...tls })
      : http2.createServer(options)
    server.on('stream', (stream) => {
      open++
      stream.on('error', () => {})
      stream.on('close', () => open--)
      stream.respond(events)
    })
    await new Promise((resolve) =>
      server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, resolve),
    )
    return { port: server.address().port, open: () => open }
  },
  async native() {
    const manager = StreamManager.open({ carrier: 'native', reactors: 1, pingIntervalMs: 0 })
    manager.on('stream', (stream) => void manager.sse(stream).detach())
    const { port } = await manager.listen({ host: '127.0.0.1', ...(tls ? { tls } : {}) })
    return { port, open: () => manager.stats().activeStreams }
  },
}
const { port, open } = await servers[contender]()

answerParent({
  port: () => ({ port }),
  open: () => ({ open: open() }),
  resident: async () => ({ bytes: await residentBytes() }),
})
