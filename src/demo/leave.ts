import type { Server } from 'node:net'
import { parentPort } from 'node:worker_threads'
import type { StreamManager } from '../index.js'

/** How long connections may take to end before the thread does. */
const kGraceMs = 1000

/** Tells the pool that this thread serves, and stops when it is told to. */
export function serveUntilTold(manager: StreamManager, server: Server, stopping: () => void): void {
  parentPort?.once('message', () => {
    stopping()
    void stop(manager, server)
  })
  parentPort?.postMessage('serves')
}

async function stop(manager: StreamManager, server: Server): Promise<void> {
  await manager.close()
  server.close()
  // Ends this thread only, and only if a peer keeps its connection.
  setTimeout(() => process.exit(), kGraceMs).unref()
}
