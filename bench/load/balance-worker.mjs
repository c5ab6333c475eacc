// One serving thread of balance.mjs.
import { once } from 'node:events'
import http from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from 'holdfast'

const { shared } = workerData
const server = http.createServer((_request, response) => response.end('here'))
let count = 0
server.on('connection', () => count++)
const ready = { type: 'ready' }
if (shared === undefined) {
  StreamManager.open().accept(server)
} else {
  server.listen(shared < 0 ? { port: 0, host: '127.0.0.1' } : { fd: shared })
  await once(server, 'listening')
  // The port tells the main thread where to connect, the descriptor the other threads what to share.
  Object.assign(ready, { port: server.address().port, fd: server._handle.fd })
}

parentPort.on('message', ({ type, ms }) => {
  parentPort.postMessage({ type, count })
  if (type === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
})
parentPort.postMessage(ready)
