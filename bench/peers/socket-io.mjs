// socket.io over WebSockets: one process, or several with its cluster adapter, of which the first publishes.
import cluster from 'node:cluster'
import http from 'node:http'
import { createAdapter, setupPrimary } from '@socket.io/cluster-adapter'
import { Server } from 'socket.io'
import { answer } from '../lib/wait.mjs'
import { answerPublishing } from './publish.mjs'

const processes = Number(process.argv[3])

async function serve() {
  const server = http.createServer()
  const io = new Server(server, {
    transports: ['websocket'],
    pingInterval: 600_000,
    ...(processes > 1 && { adapter: createAdapter() }),
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: server.address().port, emit: (text) => void io.emit('e', text) }
}

if (cluster.isPrimary && processes > 1) {
  setupPrimary()
  const workers = Array.from({ length: processes }, () => cluster.fork())
  const [{ port }] = await Promise.all(workers.map((worker) => answer(worker, 'serving')))
  answerPublishing({
    port,
    pids: () => [process.pid, ...workers.map((worker) => worker.process.pid)],
    publish: (text) => void workers[0].send({ type: 'emit', text }),
  })
} else {
  const { port, emit } = await serve()
  if (cluster.isPrimary) {
    answerPublishing({ port, pids: () => [process.pid], publish: emit })
  } else {
    process.on('message', ({ type, text }) => type === 'emit' && emit(text))
    process.on('disconnect', () => process.exit())
    process.send({ type: 'serving', port })
  }
}
