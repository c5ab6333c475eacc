import { createSecureServer } from 'node:http2'
import { workerData } from 'node:worker_threads'
import { StreamManager } from '../../index.js'
import type { Certificate } from '../certificate.js'
import { serveUntilTold } from '../leave.js'
import { pageRoutes } from '../page-files.js'
import { answerBy, type Route } from '../routing.js'
import { answerEvents, answerSay } from './events.js'
import { KeptRooms } from './kept-rooms.js'
import { Presence } from './presence.js'
import { RateLimit } from './rate-limit.js'
import type { House } from './rooms.js'
import { answerWebSockets } from './websockets.js'

const { key, cert, rates: memory } = workerData as Certificate & { rates: SharedArrayBuffer }
const manager = StreamManager.open()
const house: House = {
  manager,
  presence: new Presence(manager),
  kept: new KeptRooms(manager),
  rates: new RateLimit(memory),
}
const routes = new Map<string, Route>([
  ...pageRoutes(new URL('../shared/', import.meta.url), new URL('./page/', import.meta.url)),
  ['/events', { methods: ['GET'], handler: (_, to) => answerEvents(house, to) }],
  ['/api/say', { methods: ['POST'], handler: (_, to) => answerSay(house, to) }],
])

// Without the setting no browser asks for a WebSocket over HTTP/2.
const settings = { enableConnectProtocol: true }
const server = createSecureServer({ key, cert, allowHTTP1: true, settings })
server.on('request', (request, response) => answerBy(routes, manager, { request, response }))
answerWebSockets(server, house)
manager.accept(server)
serveUntilTold(manager, server, () => house.kept.stop())
