import { isUid, parseUid } from '../../index.js'
import { answerJson, readBody, securityHeaders, type Exchange } from '../exchange.js'
import { urlOf } from '../url.js'
import { isOwnOrigin } from './origin.js'
import { enter, GapTeller, tell, type House } from './rooms.js'
import { say } from './say.js'
import { personOf, readVisitor, tagsOf, visitorOf } from './visitor.js'

const kMostBodyBytes = 16 * 1024

/** `GET /events`: into a room by an event stream. Its page speaks by POST. */
export function answerEvents(house: House, exchange: Exchange): void {
  const { request, response } = exchange
  if (!isOwnOrigin(request.headers)) {
    answerJson(exchange, 403, { error: 'not for pages of other origins' })
    return
  }
  const { query } = urlOf(request.url)
  const http = request.httpVersionMajor === 2 ? 'HTTP/2' : `HTTP/${request.httpVersion}`
  const visitor = readVisitor(query, `events over ${http}`)
  // A browser that reconnects by itself says it in the header, a page that does in the URL.
  const after = request.headers['last-event-id'] ?? query.get('after') ?? undefined
  const lastEventId = typeof after === 'string' && after !== '' ? after : undefined
  const gap = new GapTeller(lastEventId)
  const stream = house.manager.sse(response, {
    headers: securityHeaders,
    heartbeatMs: 15_000,
    retryMs: 1000,
    onGap: gap.onGap,
    lastEventId,
    ...(typeof visitor === 'string' ? {} : { tags: tagsOf(visitor) }),
  })
  const refused = typeof visitor === 'string' ? visitor : enter(house, stream, visitor, gap)
  if (refused !== undefined) {
    tell(stream, { type: 'refused', error: refused })
    stream.close()
    return
  }
  stream.detach()
}

/**
 * `POST /api/say {uid, secret, …}` for the stream of that uid, whichever thread holds it: who that is
 * and where is asked of the registry, and the secret shows that it is the stream's own page.
 */
export async function answerSay(house: House, exchange: Exchange): Promise<void> {
  const { manager } = house
  // Pages of other origins cannot send this type without asking first, and nobody says yes.
  if (!/^application\/json\b/i.test(exchange.request.headers['content-type'] ?? '')) {
    answerJson(exchange, 415, { error: 'The content-type must be application/json.' })
    return
  }
  const body = await readBody(exchange, kMostBodyBytes)
  if (body === undefined) {
    answerJson(exchange, 413, { error: `A body has at most ${kMostBodyBytes} bytes.` })
    return
  }
  const asked = readObject(body)
  if (!asked || !isUid(asked['uid']) || typeof asked['secret'] !== 'string') {
    answerJson(exchange, 400, { error: 'That is no message.' })
    return
  }
  const info = manager.find(parseUid(asked['uid']))
  const visitor = info && visitorOf(info)
  if (visitor?.person !== personOf(asked['secret'])) {
    answerJson(exchange, 410, { error: 'You are not in the room any more.' })
    return
  }
  const refusal = say(house, visitor, asked)
  if (refusal) answerJson(exchange, refusal.status, { error: refusal.error })
  else answerJson(exchange, 202, { thread: manager.worker })
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
