import { formatUid, type ManagedStream, type StreamManager } from '../../index.js'
import type { KeptRooms } from './kept-rooms.js'
import { Presence } from './presence.js'
import type { RateLimit } from './rate-limit.js'
import { newsOf, roomsTopic, talkOf } from './topics.js'
import type { Visitor } from './visitor.js'

const kMostInRoom = 64
const kRoomsEveryMs = 1000
const kMostListed = 50
/** Before anything that was said: with it one hears all that is kept. */
const kBeginning = 'beginning'

/** What one thread has of the chat. */
export interface House {
  readonly manager: StreamManager
  readonly presence: Presence
  readonly kept: KeptRooms
  readonly rates: RateLimit
}

/**
 * Lets somebody into a room: says hello, what was said since `after` (all that is kept, if that is
 * not known), then `ready`, then what is said. Returns why not, in words, if there is no room.
 */
export function enter(
  house: House,
  stream: ManagedStream,
  visitor: Visitor,
  gap: GapTeller,
): string | undefined {
  const { manager, presence } = house
  const { room, person, via } = visitor
  if (manager.subscribers(newsOf(room)).length >= kMostInRoom) {
    return `The room is full: ${kMostInRoom} are there.`
  }
  if (!house.kept.keep(room)) return 'There are too many rooms already.'
  const uid = formatUid(stream.uid)
  tell(stream, { type: 'hello', uid, room, person, via, thread: manager.worker })
  stream.subscribe(talkOf(room), { after: stream.lastEventId ?? kBeginning })
  gap.armed = true
  tell(stream, { type: 'ready' })
  stream.subscribe(newsOf(room))
  stream.subscribe(roomsTopic)
  tell(stream, roomsMessage(manager))
  stream.on('close', () => presence.changed(room))
  presence.changed(room)
  return undefined
}

/** Stands where messages are missing; not before somebody's first message. */
export class GapTeller {
  armed: boolean

  constructor(lastEventId: string | undefined) {
    this.armed = lastEventId !== undefined
  }

  readonly onGap = (): { data: string } | undefined =>
    this.armed ? { data: JSON.stringify({ type: 'gap' }) } : undefined
}

export function tell(stream: ManagedStream, message: object): void {
  stream.send(JSON.stringify(message))
}

/** On one thread: tells everybody which rooms there are, and of those whom a dead thread took along. */
export function watchRooms(manager: StreamManager): void {
  const presence = new Presence(manager)
  let told = ''
  const look = (): void => {
    if (!manager.isOpen) return clearInterval(pulse)
    const list = JSON.stringify(roomsMessage(manager))
    if (list !== told) manager.publish(roomsTopic, (told = list))
  }
  const pulse = setInterval(look, kRoomsEveryMs).unref()
  manager.on('workerExit', () => {
    for (const { name } of listRooms(manager)) presence.changed(name)
  })
}

const roomsMessage = (manager: StreamManager) => ({ type: 'rooms', rooms: listRooms(manager) })

function listRooms(manager: StreamManager): { name: string; people: number }[] {
  const prefix = newsOf('')
  return manager
    .topics()
    .filter(({ topic }) => topic.startsWith(prefix))
    .map(({ topic, subscribers }) => ({ name: topic.slice(prefix.length), people: subscribers }))
    .sort((a, b) => b.people - a.people || (a.name < b.name ? -1 : 1))
    .slice(0, kMostListed)
}
