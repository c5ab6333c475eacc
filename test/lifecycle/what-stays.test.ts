import { expect, test } from 'vitest'
import { ending, runChild } from '../helpers/child.js'

const script = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url)
type Counted = Record<'messagesDelivered' | 'messagesUndeliverable', number>
const ended = { code: 0, signal: null, hung: false }

test('the registry outlives the last thread that loaded the addon', async () => {
  const child = await runChild(script('workers-only.mjs'), [])
  expect(ending(child), child.stderr).toEqual(ended)
  expect(JSON.parse(child.stdout)).toEqual({
    mapped: true,
    created: [1, 2, 3, 4, 5],
    different: 5,
    stale: ['gone', 'gone', 'gone', 'gone'],
  })
})

test('a detached stream keeps neither its handler’s closure nor its async context', async () => {
  const child = await runChild(script('references.mjs'), [], { nodeArguments: ['--expose-gc'] })
  expect({ ...ending(child), stdout: child.stdout }, child.stderr).toEqual({
    ...ended,
    stdout: 'collected\n',
  })
})

test('closing the manager from a close listener ends each stream once', async () => {
  const child = await runChild(script('close-in-close.mjs'), [])
  expect(ending(child), child.stderr).toEqual(ended)
  expect(JSON.parse(child.stdout)).toEqual({
    closes: 3,
    errors: Array(3).fill('ERR_HOLDFAST_CLOSED'),
    reopened: true,
  })
})

// What a tick behind a batch threw was taken for the end of the thread, which then got no more mail.
test('a thread that survives an uncaught error goes on receiving', async () => {
  const child = await runChild(script('uncaught-in-batch.mjs'), [])
  expect(ending(child), child.stderr).toEqual(ended)
  const { messagesDelivered, messagesUndeliverable, ...rest } = JSON.parse(child.stdout) as Counted
  expect(rest).toEqual({
    written: 'tickwritelast',
    uncaught: ['in a tick', 'in a write'],
    messagesQueued: 3,
  })
  expect(messagesDelivered + messagesUndeliverable).toBe(3)
})

// What one stream's write threw left the others of its tick corked for ever.
test('a stream whose write throws does not hold up what the same tick sent to others', async () => {
  const child = await runChild(script('uncaught-in-own-send.mjs'), [])
  expect(ending(child), child.stderr).toEqual(ended)
  const { written, uncaught } = JSON.parse(child.stdout) as {
    written: string
    uncaught: string[]
  }
  expect(written).toBe('firstsecond')
  expect(uncaught).toContain('in a write')
})

// It was measured, changed by its other owner, and then encoded past the end of its place.
test('a payload in shared memory that changes while it is sent is sent whole', async () => {
  const child = await runChild(script('shared-payload.mjs'), [])
  expect(ending(child), child.stderr).toEqual(ended)
  expect(JSON.parse(child.stdout)).toEqual({ results: ['sent'], malformed: 0 })
})

// The memory made for it was taken for the next message's, and the process aborted.
test('a large message before an empty one, or for a stream just gone, ends no process', async () => {
  const child = await runChild(script('large-in-batch.mjs'), [])
  expect(ending(child), child.stderr).toEqual(ended)
  const { messagesDelivered, messagesUndeliverable, ...rest } = JSON.parse(child.stdout) as Counted
  expect(rest).toEqual({ sizes: [1_000_003, 3, 0], messagesQueued: 5 })
  expect(messagesDelivered + messagesUndeliverable).toBe(5)
})
