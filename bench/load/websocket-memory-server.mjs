// One server of websocket-memory.mjs: holds idle WebSockets, and tells what is resident.
import http from 'node:http'
import http2 from 'node:http2'
import { StreamManager } from 'holdfast'
import { WebSocketServer } from 'ws'
import { answerParent } from '../lib/peer.mjs'
import { residentMemory } from '../lib/resident.mjs'

const [peer, carrier] = process.argv.slice(2)
let held = 0
let echoed = 0

/** The same work for all: a message comes back. */
function hold(socket, echo) {
  held++
  socket.on('message', (data, info) => {
    echoed++
    echo(data, info)
  })
  socket.on('close', () => held--)
}

async function serveHoldfast() {
  const manager = StreamManager.open()
  const take = (socket) => hold(socket, (data) => socket.send(data))
  const server =
    carrier === 'ws'
      ? http.createServer()
      : http2.createServer({ maxSessionMemory: 64, settings: { enableConnectProtocol: true } })
  server.on('stream', (stream, headers) => take(manager.websocket(stream, headers)))
  server.on('upgrade', (request, _, head) => take(manager.websocket(request, head)))
  manager.accept(server)
  const { port } = await manager.listen({ host: '127.0.0.1' })
  return port
}

async function serveWs() {
  const server = http.createServer()
  // Its set of clients is what holdfast's registry is: the way to find them.
  new WebSocketServer({ server }).on('connection', (socket) =>
    hold(socket, (data, isBinary) => socket.send(data, { binary: isBinary })),
  )
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

const port = await (peer === 'holdfast' ? serveHoldfast() : serveWs())
answerParent({
  where: () => ({ port }),
  memory: residentMemory,
  counts: () => ({ held, echoed }),
})
