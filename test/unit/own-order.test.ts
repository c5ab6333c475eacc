import { afterEach, beforeEach, expect, test } from 'vitest'
import { StreamManager, type ManagedStream, type StreamClose } from '../../dist/index.js'
import { Collector } from '../helpers/collector.js'
import { until } from '../helpers/wait.js'

// A topic that is kept reaches the publisher's own streams by mail, as it does all others.
const manager = StreamManager.open()
const kMembers = 300
const targets: Collector[] = []
let members: { stream: ManagedStream; text: () => string; close: () => StreamClose | undefined }[]

beforeEach(() => {
  manager.setTopic('kept', { replay: {} })
  members = Array.from({ length: kMembers }, () => {
    const target = new Collector()
    targets.push(target.resume())
    const stream = manager.register(target, { kind: 'raw' })
    stream.subscribe('kept')
    let close: StreamClose | undefined
    stream.on('close', (event) => (close = event))
    return { stream, text: () => target.text(), close: () => close }
  })
})
afterEach(async () => {
  for (const target of targets.splice(0)) target.destroy()
  await until('they have gone', () => manager.stats().activeStreams === 0)
})
const all = (text: string) => (): boolean => members.every((member) => member.text() === text)

test('what a thread says behind a publication of its own comes behind it', async () => {
  for (const { stream } of members) stream.subscribe('plain')
  expect(manager.publish('kept', 'a')).toBe(kMembers)
  for (const { stream } of members) expect(stream.send('b')).toBe('queued')
  expect(manager.publish('plain', 'c')).toBe(kMembers)
  const waits = members.map(({ stream }) => manager.sendAndWait(stream.uid, 'd'))
  await Promise.all(waits)
  expect(members.map(({ text }) => text())).toEqual(members.map(() => 'abcd'))
})

test('also in later turns, while some of it is still to be written', async () => {
  expect(manager.publish('kept', 'a')).toBe(kMembers)
  await until('the first have it', () => members[0]!.text() === 'a')
  const { stream, text } = members.at(-1)!
  stream.send('b')
  await until('all have it', () => members.slice(0, -1).every((member) => member.text() === 'a'))
  await until('the last has both', () => text().length === 2)
  expect(text()).toBe('ab')
})

test('a close comes behind it as well, and the stream takes no more', async () => {
  const before = manager.stats().messagesUndeliverable
  expect(manager.publish('kept', 'a')).toBe(kMembers)
  for (const { stream } of members) {
    expect(stream.send('b')).toBe('queued')
    expect(manager.close(stream.uid, { reason: 'enough' })).toBe(true)
    expect(manager.close(stream.uid)).toBe(false)
    expect(stream.send('too late')).toBe('gone')
  }
  await until('they are closed', () => members.every(({ close }) => close() !== undefined))
  expect(all('ab')()).toBe(true)
  for (const { close } of members)
    expect(close()).toMatchObject({ reason: 'close', text: 'enough' })
  expect(manager.stats().messagesUndeliverable).toBe(before)
})

test('when all of it is there, what is sent goes at once again', async () => {
  manager.publish('kept', 'a')
  await until('all have it', all('a'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(members[0]!.stream.send('b')).toBe('sent')
  await until('it has it', () => members[0]!.text() === 'ab')
})
