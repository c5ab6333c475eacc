import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import {
  ChatClients,
  heardBy,
  heardIn,
  listsOf,
  query,
  refusalOf,
  saying,
  textsOf,
} from '../helpers/chat-client.js'
import { get, type Reading } from '../helpers/client.js'
import { killDemos, launchDemo, plantFault, type Demo } from '../helpers/demo.js'
import { eventsIn } from '../helpers/event-list.js'
import { until } from '../helpers/wait.js'
import type { Http2WebSocket } from '../helpers/websocket.js'

let demo: Demo
let clients: ChatClients
beforeAll(async () => {
  demo = await launchDemo('chat/main.js')
  clients = new ChatClients(demo)
})
afterEach(() => clients.close())
afterAll(killDemos)

it('an event stream that comes back with its last id hears only what came behind it', async () => {
  const room = 'back'
  const socket = await clients.open({ room })
  for (const text of ['one', 'two', 'three']) socket.send(saying(text))
  const texts = (events: Reading) => textsOf(heardIn(events))
  const first = await get(clients.dial(), `/events?${query({ room })}`)
  await until('it heard all', () => texts(first).length === 3)
  const ids = eventsIn(first.text()).flatMap(({ id }) => (id ? [id] : []))
  const ready = (events: Reading) => heardIn(events).some(({ type }) => type === 'ready')
  const byHeader = await get(clients.dial(), `/events?${query({ room })}`, {
    'last-event-id': ids[0]!,
  })
  await until('it is ready', () => ready(byHeader))
  expect(texts(byHeader)).toEqual(['two', 'three'])
  const byUrl = await get(clients.dial(), `/events?${query({ room, after: ids[1]! })}`)
  await until('it is ready', () => ready(byUrl))
  expect(texts(byUrl)).toEqual(['three'])
  const unknown = await get(clients.dial(), `/events?${query({ room, after: 'elsewhere-7' })}`)
  await until('it is ready', () => ready(unknown))
  expect(
    heardIn(unknown)
      .map(({ type }) => type)
      .slice(0, 2),
  ).toEqual(['hello', 'gap'])
  expect(texts(unknown)).toEqual(['one', 'two', 'three'])
})

it('the longest room and name that are let in fit what the registry keeps of a stream', async () => {
  const fields = { room: 'x'.repeat(24), name: '\u20ac'.repeat(24), secret: 'x'.repeat(64) }
  const socket = await clients.open(fields)
  const names = () => listsOf(heardBy(socket)).flat()
  await until('it is seen', () => names().length > 0)
  expect(names()[0]).toBe(fields.name)
})

it('who comes to a full room is told, and is let in when somebody has left', async () => {
  const session = clients.dial()
  const sockets: Http2WebSocket[] = []
  while (sockets.length < 64) sockets.push(await clients.open({ room: 'full' }, session))
  expect(await refusalOf(await clients.open({ room: 'full' }))).toMatch(/full/)
  await sockets[0]!.close()
  await until('there is room', async () => {
    const socket = await clients.open({ room: 'full' })
    await until('it was answered', () => heardBy(socket).length > 0)
    return heardBy(socket)[0]!.type === 'hello'
  })
})

it('people of a thread that dies are gone for those of the others, and what they said is not', async () => {
  const faulty = new ChatClients(await launchDemo('chat/main.js', ...plantFault))
  const people: Http2WebSocket[] = []
  for (const name of ['0', '1', '2', '3']) people.push(await faulty.open({ name }))
  const listOf = (socket: Http2WebSocket) => listsOf(heardBy(socket)).at(-1)?.join()
  for (const socket of people) {
    await until('all are there', () => listOf(socket) === '0,1,2,3')
    socket.send(saying(`from ${people.indexOf(socket)}`))
  }
  for (const socket of people)
    await until('all was heard', () => textsOf(heardBy(socket)).length === 4)

  faulty.demo.child.kill('SIGUSR2')
  await until('two are cut off', () => people.filter(({ isClosed }) => isClosed).length === 2)
  const rest = people.flatMap(({ isClosed }, i) => (isClosed ? [] : [i]))
  for (const i of rest) {
    await until('the others are off the list', () => listOf(people[i]!) === rest.join())
  }
  const late = await faulty.open({ name: 'late' })
  await until('what they said is told', () => textsOf(heardBy(late)).length === 4)
  expect(faulty.demo.complaints.join('')).toMatch(/planted[^]*replaces/)
  faulty.close()
})
