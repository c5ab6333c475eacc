// holdfast as one of the peers: this thread publishes, worker threads hold the streams.
import http from 'node:http'
import http2 from 'node:http2'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answer } from '../lib/wait.mjs'
import { answerPublishing } from './publish.mjs'

const manager = StreamManager.open()
if (isMainThread) {
  const [carrier, threads] = process.argv.slice(2)
  const { port } = await manager.listen({ host: '127.0.0.1' })
  const workers = Array.from(
    { length: Number(threads) },
    () => new Worker(new URL(import.meta.url), { workerData: carrier }),
  )
  await Promise.all(workers.map((worker) => answer(worker, 'ready')))
  answerPublishing({
    port,
    pids: () => [process.pid],
    publish: (text) => void manager.publish('all', text),
  })
} else {
  const overHttp2 = workerData === 'h2' || workerData === 'ws-h2'
  const server = overHttp2
    ? http2.createServer({ maxSessionMemory: 64, settings: { enableConnectProtocol: true } })
    : http.createServer()
  const take = (socket) => {
    socket.subscribe('all')
    socket.on('message', (data) => socket.send(data))
  }
  if (overHttp2) {
    server.on('stream', (stream, headers) => {
      if (headers[':protocol']) take(manager.websocket(stream, headers))
      else manager.sse(stream).detach().subscribe('all')
    })
  } else {
    server.on('request', (_, response) => manager.sse(response).detach().subscribe('all'))
    server.on('upgrade', (request, _, head) => take(manager.websocket(request, head)))
  }
  manager.accept(server)
  parentPort.postMessage({ type: 'ready' })
}
