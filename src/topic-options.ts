import { HoldfastError, status } from './errors.js'
import { native } from './native.js'
import { requireInteger, requireKnown } from './options.js'
import { encodeTopic } from './topics.js'

/** How much of what is published to a topic is kept, for who comes back: the last of it. */
export interface ReplayOptions {
  /** Messages. Default 1,000. */
  events?: number
  /** Bytes, with 96 of each message for itself. Default 1,048,576. */
  bytes?: number
}

export interface TopicOptions {
  /** False: nothing is kept any more. */
  replay: ReplayOptions | false
}

export interface SubscribeOptions {
  /**
   * The id of the last message that the client has had, most often `stream.lastEventId`: what the topic
   * keeps of those behind it is sent first. Undefined or empty: there is none.
   */
  after?: string | undefined
}

const kMaxEvents = 2 ** 24
const kMaxBytes = 2 ** 40

/** @throws ERR_HOLDFAST_INVALID_ARGUMENT, ERR_HOLDFAST_INVALID_OPTION, ERR_HOLDFAST_REPLAY_LIMIT */
export function setTopic(topic: string, options: TopicOptions): void {
  requireKnown('options', options, ['replay'])
  const { replay } = options
  if (replay === false) {
    native.forgetTopic(encodeTopic(topic))
    return
  }
  requireKnown('replay', replay, ['events', 'bytes'])
  const events = requireInteger('events', replay.events ?? 1000, 1, kMaxEvents)
  const bytes = requireInteger('bytes', replay.bytes ?? 2 ** 20, 1024, kMaxBytes)
  if (native.keepTopic(encodeTopic(topic), events, bytes) === status.ok) return
  throw new HoldfastError('ERR_HOLDFAST_REPLAY_LIMIT')
}

/** Longer than any id of ours: what a client says may be anything. */
const kMaxIdUnits = 64
/** No id of any topic. */
const kUnknown = '-'

/** An id that a client gave, as the addon is told it. @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function checkId(name: string, id: unknown): string {
  if (id === undefined) return ''
  if (typeof id === 'string') return id.length > kMaxIdUnits ? kUnknown : id
  throw new HoldfastError('ERR_HOLDFAST_INVALID_ARGUMENT', `${name} must be a string`)
}
