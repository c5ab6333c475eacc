// The thread of fan-out-server.mjs that holds all streams: by holdfast, or in an array.
import http2 from 'node:http2'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { threadNumber } from '../lib/cpu.mjs'
import { eventBytes } from '../lib/event.mjs'
import { answerThread } from '../lib/peer.mjs'
import { pace } from './fan-out-pace.mjs'

const { contender, streamsEach, tls, messages } = workerData
const options = { maxSessionMemory: 64, settings: { maxConcurrentStreams: streamsEach + 1 } }
const server = tls ? http2.createSecureServer({ ...options, ...tls }) : http2.createServer(options)

const streams = []
let port
if (contender === 'holdfast') {
  const manager = StreamManager.open()
  server.on('stream', (stream) => manager.sse(stream).detach().subscribe('all'))
  manager.accept(server)
} else {
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    streams.push(stream)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = server.address().port
}

function writeToAll(bytes) {
  for (const stream of streams) stream.write(bytes)
}
// Of a publisher that has no holdfast: it tells this thread of each message.
messages?.on('message', (data) => writeToAll(Buffer.from(`data: ${data}\n\n`)))

answerThread(parentPort, {
  who: () => ({ port, thread: threadNumber() }),
  /** The bare loop: it writes where the streams are. */
  async write({ from, ticks, aTick, intervalMs }) {
    let number = from
    const lateMs = await pace(ticks, intervalMs, () => {
      for (let i = 0; i < aTick; i++) {
        writeToAll(eventBytes(number++))
      }
    })
    return { lateMs }
  },
})
