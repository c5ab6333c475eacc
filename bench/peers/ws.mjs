// The `ws` package: one thread, which publishes by a loop, as its documentation has it.
import http from 'node:http'
import { WebSocketServer } from 'ws'
import { answerPublishing } from './publish.mjs'

const server = http.createServer()
const sockets = new WebSocketServer({ server, clientTracking: true })
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
answerPublishing({
  port: server.address().port,
  pids: () => [process.pid],
  publish(text) {
    for (const socket of sockets.clients) socket.send(text)
  },
})
