import { formatUid, HoldfastError, type StreamManager } from '../index.js'
import { answer, answerJson, securityHeaders, type Exchange } from './exchange.js'
import { demoTag, factsMessage, listByThread } from './facts.js'
import { pageFiles } from './page-files.js'
import { answerSend } from './send.js'

export type { Exchange }

type Handler = (manager: StreamManager, exchange: Exchange) => void | Promise<void>

interface Route {
  readonly methods: readonly string[]
  readonly handler: Handler
}

const kRead = ['GET', 'HEAD']

const routes = new Map<string, Route>([
  ['/events', { methods: ['GET'], handler: answerEvents }],
  ['/api/send', { methods: ['POST'], handler: answerSend }],
  [
    '/api/streams',
    { methods: kRead, handler: (manager, to) => answerJson(to, 200, listByThread(manager)) },
  ],
  [
    '/api/stats',
    {
      methods: kRead,
      handler: (manager, to) =>
        answerJson(to, 200, {
          thread: manager.worker,
          stats: manager.stats(),
          workers: manager.workers(),
        }),
    },
  ],
])
for (const [path, { headers, body }] of pageFiles) {
  routes.set(path, { methods: kRead, handler: (_, to) => answer(to, 200, headers, body) })
}

/** Answers one request. Nothing a client does may end the thread. */
export function handle(manager: StreamManager, exchange: Exchange): void {
  const { request, response } = exchange
  request.on('error', ignore)
  response.on('error', ignore)
  const [path = '/'] = (request.url ?? '/').split('?', 1)
  const route = routes.get(path)
  if (!route) {
    answerJson(exchange, 404, { error: 'there is nothing here' })
    return
  }
  if (!route.methods.includes(request.method ?? '')) {
    const allow = route.methods.join(', ')
    answerJson(exchange, 405, { error: `the method must be ${allow}` }, { allow })
    return
  }
  Promise.resolve()
    .then(() => route.handler(manager, exchange))
    .catch((error: unknown) => answerFailure(exchange, error))
}

/** The handler ends here and the stream lives on, until its peer leaves or somebody closes it. */
function answerEvents(manager: StreamManager, { request, response }: Exchange): void {
  const protocol = request.httpVersionMajor === 2 ? 'HTTP/2' : `HTTP/${request.httpVersion}`
  const stream = manager
    .sse(response, { tags: [demoTag, protocol], headers: securityHeaders })
    .detach()
  const hello = { uid: formatUid(stream.uid), thread: manager.worker, protocol }
  stream.send(JSON.stringify(hello), { event: 'hello', retry: 1000 })
  stream.send(factsMessage(manager), { event: 'facts' })
}

function answerFailure(exchange: Exchange, error: unknown): void {
  if (exchange.response.headersSent || exchange.response.destroyed) return
  const code = error instanceof HoldfastError ? error.code : undefined
  if (code === 'ERR_HOLDFAST_STREAM_DEAD') return
  if (code === 'ERR_HOLDFAST_WORKER_LIMIT' || code === 'ERR_HOLDFAST_TOTAL_LIMIT') {
    answerJson(exchange, 503, { error: 'no further stream fits', code })
    return
  }
  console.error(error)
  answerJson(exchange, 500, { error: 'the server failed', code })
}

function ignore(): void {}
