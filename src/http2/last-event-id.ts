import { Http2ServerResponse, type Http2Session, type IncomingHttpHeaders } from 'node:http2'
import { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { lastEventIdIn } from '../request/fields.js'
import { RequestStream } from '../request/request-stream.js'
import type { StreamTarget } from './target.js'

const kLastEventId = Symbol('holdfast.lastEventId')
type Raw = Duplex & { [kLastEventId]?: string }

/** What a request said that its client received last, as far as the target tells. */
export function lastEventIdOf(target: StreamTarget): string | undefined {
  if (target instanceof RequestStream) return target.lastEventId
  if (target instanceof Http2ServerResponse || target instanceof ServerResponse) {
    return lastEventIdIn(target.req.headers)
  }
  return (target as Raw)[kLastEventId]
}

/** A stream of node:http2 does not keep its request's headers: what we need of them is kept here. */
export function keepLastEventIds(session: Http2Session): void {
  session.prependListener('stream', (stream: Raw, headers: IncomingHttpHeaders) => {
    const id = lastEventIdIn(headers)
    if (id !== undefined) stream[kLastEventId] = id
  })
}
