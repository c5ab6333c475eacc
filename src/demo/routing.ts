import { HoldfastError, type StreamManager } from '../index.js'
import { answerJson, type Exchange } from './exchange.js'
import { urlOf } from './url.js'

export interface Route {
  readonly methods: readonly string[]
  readonly handler: (manager: StreamManager, exchange: Exchange) => void | Promise<void>
}

export const reading = ['GET', 'HEAD']

/** Answers one request. Nothing a client does may end the thread. */
export function answerBy(
  routes: ReadonlyMap<string, Route>,
  manager: StreamManager,
  exchange: Exchange,
): void {
  const { request, response } = exchange
  request.on('error', ignore)
  response.on('error', ignore)
  const { path } = urlOf(request.url)
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
