import { createSecureServer } from 'node:http2'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager } from '../index.js'
import type { Certificate } from './certificate.js'
import { handle } from './routes.js'
import { pushFacts } from './facts.js'

/** How often each page hears how the process does. */
const kFactsMs = 1000
/** How long connections may take to end before the thread does. */
const kGraceMs = 1000

const manager = StreamManager.open()
const server = createSecureServer({ ...(workerData as Certificate), allowHTTP1: true })
server.on('request', (request, response) => {
  handle(manager, { request, response })
})
manager.accept(server)

const pulse = setInterval(() => pushFacts(manager), kFactsMs)
parentPort?.once('message', () => {
  clearInterval(pulse)
  void stop()
})
parentPort?.postMessage('serves')

async function stop(): Promise<void> {
  await manager.close()
  server.close()
  // Ends this thread only, and only if a peer keeps its connection.
  setTimeout(() => process.exit(), kGraceMs).unref()
}
