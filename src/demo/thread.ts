import { createSecureServer } from 'node:http2'
import { workerData } from 'node:worker_threads'
import { StreamManager } from '../index.js'
import type { Certificate } from './certificate.js'
import { pushFacts } from './facts.js'
import { serveUntilTold } from './leave.js'
import { routes } from './routes.js'
import { answerBy } from './routing.js'

/** How often each page hears how the process does. */
const kFactsMs = 1000

const manager = StreamManager.open()
const server = createSecureServer({ ...(workerData as Certificate), allowHTTP1: true })
server.on('request', (request, response) => answerBy(routes, manager, { request, response }))
manager.accept(server)

const pulse = setInterval(() => pushFacts(manager), kFactsMs)
serveUntilTold(manager, server, () => clearInterval(pulse))
