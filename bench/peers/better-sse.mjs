import http from 'node:http'
import http2 from 'node:http2'
import { createChannel, createSession } from 'better-sse'
import { answerPublishing } from './publish.mjs'

const carrier = process.argv[2]
const channel = createChannel()
const server = carrier === 'h2' ? http2.createServer({ maxSessionMemory: 64 }) : http.createServer()
server.on('request', async (request, response) => {
  channel.register(await createSession(request, response, { serializer: String, keepAlive: null }))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
answerPublishing({
  port: server.address().port,
  pids: () => [process.pid],
  publish: (text) => void channel.broadcast(text),
})
