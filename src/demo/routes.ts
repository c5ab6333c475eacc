import { formatUid, type StreamManager } from '../index.js'
import { answerJson, securityHeaders, type Exchange } from './exchange.js'
import { demoTag, factsMessage, listByThread } from './facts.js'
import { pageRoutes } from './page-files.js'
import { reading, type Route } from './routing.js'
import { answerSend } from './send.js'

export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ...pageRoutes(new URL('./shared/', import.meta.url), new URL('./page/', import.meta.url)),
  ['/events', { methods: ['GET'], handler: answerEvents }],
  ['/api/send', { methods: ['POST'], handler: answerSend }],
  [
    '/api/streams',
    { methods: reading, handler: (manager, to) => answerJson(to, 200, listByThread(manager)) },
  ],
  [
    '/api/stats',
    {
      methods: reading,
      handler: (manager, to) =>
        answerJson(to, 200, {
          thread: manager.worker,
          stats: manager.stats(),
          workers: manager.workers(),
        }),
    },
  ],
])

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
