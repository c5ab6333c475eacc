import { expect, test } from 'vitest'
import { ending, runChild } from '../helpers/child.js'

const script = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url)
const ended = { code: 0, signal: null, hung: false }

test.each([
  [
    'two over their budget',
    { results: ['sent', 'sent', 'full', 'full'], reasons: ['slow', 'slow'] },
  ],
  ['a member closes the manager', { published: 2 }],
  ['a member makes place for another', { published: 2, stranger: 0 }],
  ['a write is answered twice', { result: 'sent', queued: 0 }],
  ['a gap closes the manager', { results: ['sent', 'full'] }],
  ['a large message waits', { results: ['sent', 'queued'], bytes: 3 << 20 }],
  ['options have a prototype', { text: 'event: e\ndata: x\n\n' }],
])('%s: all is accounted for, and the process ends by itself', async (name, result) => {
  const child = await runChild(script('own-code.mjs'), [name])
  expect(ending(child), child.stderr).toEqual(ended)
  expect(JSON.parse(child.stdout)).toEqual({ ...result, unaccounted: 0 })
})

test('streams whose own code sends, publishes, closes and destroys at random lose no message uncounted', async () => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31)
  const child = await runChild(script('reentrant.mjs'), [String(seed)], { deadlineMs: 60_000 })
  expect(ending(child), `TEST_SEED=${seed}\n${child.stderr}`).toEqual(ended)
  const { unaccounted, delivered, dropped, queuedBytes } = JSON.parse(child.stdout) as Record<
    string,
    number
  >
  expect(unaccounted, `TEST_SEED=${seed}`).toBe(0)
  expect(queuedBytes, `TEST_SEED=${seed}`).toBe(0)
  expect(delivered).toBeGreaterThan(0)
  expect(dropped).toBeGreaterThan(0)
})
