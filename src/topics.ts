import { HoldfastError } from './errors.js'
import { scratch } from './memory.js'
import { native } from './native.js'
import { isWellFormed } from './text.js'
import type { StreamUid } from './uid.js'

/** A topic that has members. */
export interface TopicInfo {
  readonly topic: string
  /** Members in the whole process. */
  readonly subscribers: number
}

const kMaxTopicBytes = 255

/** Whether it is a topic's name, unless it takes more bytes than it has characters. */
export function mayBeTopic(topic: unknown): topic is string {
  return (
    typeof topic === 'string' &&
    topic.length > 0 &&
    topic.length <= kMaxTopicBytes &&
    isWellFormed(topic)
  )
}

/** Writes the name into the scratch memory. @throws ERR_HOLDFAST_INVALID_ARGUMENT */
export function encodeTopic(topic: unknown): number {
  const bytes = mayBeTopic(topic) ? scratch.write(topic) : 0
  if (bytes > 0 && bytes <= kMaxTopicBytes) return bytes
  throw invalidTopic()
}

export function invalidTopic(): HoldfastError {
  return new HoldfastError(
    'ERR_HOLDFAST_INVALID_ARGUMENT',
    `a topic must be well-formed Unicode of 1 to ${kMaxTopicBytes} bytes`,
  )
}

export function readTopics(): TopicInfo[] {
  const list = native.topics()
  const topics: TopicInfo[] = []
  for (let i = 0; i < list.length; i += 2) {
    topics.push({ topic: list[i] as string, subscribers: list[i + 1] as number })
  }
  return topics
}

export function readSubscribers(topic: string): StreamUid[] {
  return [...native.subscribers(encodeTopic(topic))] as StreamUid[]
}
