import { isUid, parseUid, type SendResult, type StreamManager } from '../index.js'
import { answerJson, readBody, type Exchange } from './exchange.js'
import { demoTag } from './facts.js'

const kMostBodyBytes = 16 * 1024
const kMostTextLength = 2000
const kStatus: Readonly<Record<SendResult, number>> = {
  sent: 200,
  queued: 202,
  full: 503,
  gone: 410,
}

let lines = 0

/** `POST /api/send {uid, text}`: sends from this thread, whichever holds the receiver. */
export async function answerSend(manager: StreamManager, exchange: Exchange): Promise<void> {
  // Pages of other origins cannot send this type without asking first, and nobody says yes.
  if (!/^application\/json\b/i.test(exchange.request.headers['content-type'] ?? '')) {
    answerJson(exchange, 415, { error: 'the content-type must be application/json' })
    return
  }
  const body = await readBody(exchange, kMostBodyBytes)
  if (body === undefined) {
    answerJson(exchange, 413, { error: `a body has at most ${kMostBodyBytes} bytes` })
    return
  }
  const asked = readRequest(body)
  if (typeof asked === 'string') answerJson(exchange, 400, { error: asked })
  else if (asked.uid === 'all') sendToAll(manager, exchange, asked.text)
  else sendToOne(manager, exchange, asked.uid, asked.text)
}

/** What to send and to whom, or what is wrong with the request. */
function readRequest(body: string): { uid: string; text: string } | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return 'the body must be JSON'
  }
  if (typeof parsed !== 'object' || parsed === null) return 'the body must be a JSON object'
  const { uid, text } = parsed as Record<string, unknown>
  if (uid !== 'all' && !isUid(uid)) return 'uid must be "all" or 16 lower-case hexadecimal digits'
  if (typeof text !== 'string' || text.trim() === '' || text.length > kMostTextLength) {
    return `text must be a string of 1 to ${kMostTextLength} characters`
  }
  return { uid, text }
}

function sendToOne(manager: StreamManager, exchange: Exchange, uid: string, text: string): void {
  // Only for the answer: `send` needs no `find`, but this one shows in the statistics.
  const holder = manager.find(parseUid(uid))?.worker
  const result = manager.send(parseUid(uid), ...line(manager, 'you', text))
  answerJson(exchange, kStatus[result], { thread: manager.worker, holder, result })
}

function sendToAll(manager: StreamManager, exchange: Exchange, text: string): void {
  const results: Record<SendResult, number> = { sent: 0, queued: 0, full: 0, gone: 0 }
  const message = line(manager, 'all', text)
  for (const { uid } of manager.streams({ tag: demoTag })) results[manager.send(uid, ...message)]++
  answerJson(exchange, 200, { thread: manager.worker, results })
}

function line(manager: StreamManager, to: string, text: string) {
  const id = `${manager.worker}-${++lines}`
  const data = JSON.stringify({ thread: manager.worker, to, at: Date.now(), text })
  return [data, { event: 'line', id }] as const
}
