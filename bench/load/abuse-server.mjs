// The server of abuse.mjs. Run with --expose-gc.
import http2 from 'node:http2'
import { readdirSync } from 'node:fs'
import { StreamManager } from 'holdfast'
import { answerParent } from '../lib/peer.mjs'
import { residentBytes } from '../lib/resident.mjs'

const [carrier] = process.argv.slice(2)
// Who stays and reads nothing answers no PING either.
const manager = StreamManager.open({
  carrier,
  reactors: 1,
  pingIntervalMs: 500,
  pingTimeoutMs: 1000,
})
const large = Buffer.alloc(1 << 20, 'x')
manager.on('stream', (stream, headers) => {
  stream.respond({ ':status': 200 })
  stream.end(headers[':path'] === '/large' ? large : 'answered')
})
const { port } = await manager.listen({ host: '127.0.0.1' })
if (carrier === 'node') manager.accept(http2.createServer())

answerParent({
  port: () => ({ port }),
  state: () => ({
    sockets: manager.stats().activeSockets,
    streams: manager.stats().activeStreams,
    descriptors: readdirSync('/proc/self/fd').length,
  }),
  resident: async () => ({ bytes: await residentBytes() }),
})
