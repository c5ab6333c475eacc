import { describe, expect, test } from 'vitest'
import { ending, runChild } from '../helpers/child.js'

// In each child two threads send to all streams and accept connections that arrive all the while.
const states = ['registered', 'detached', 'mid-send', 'mid-close', 'closed']
const script = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url)

describe.each(states)('a process that holds %s streams', (state) => {
  test.each([
    ['natural', 3],
    ['exit', 7],
    ['throw', 1],
  ])('ends by %s with code %i, without a signal or a hang', async (how, code) => {
    const child = await runChild(script('end-of-process.mjs'), [state, how])
    expect({ ...ending(child), stdout: child.stdout }, child.stderr).toEqual({
      code,
      signal: null,
      hung: false,
      stdout: 'acting\n',
    })
    expect(child.stderr.includes('nobody catches this')).toBe(how === 'throw')
  })
})

describe.each(states)('a thread that holds %s streams', (state) => {
  test.each([
    ['terminate', []],
    ['throw', ['nobody catches this']],
  ])('dies by %s: its streams are gone, nobody else is disturbed', async (how, errors) => {
    const child = await runChild(script('end-of-worker.mjs'), [state, how])
    expect(ending(child), child.stderr).toEqual({ code: 0, signal: null, hung: false })
    expect(JSON.parse(child.stdout)).toEqual({
      code: 1,
      errors,
      answers: ['gone', false],
      enoughStreams: true,
      left: { activeStreams: 0, activeSockets: 0, detachedStreams: 0 },
    })
  })
})

describe.each(states)('garbage collection of %s streams', (state) => {
  test('takes the wrapper, and the stream goes on without it', async () => {
    const child = await runChild(script('garbage.mjs'), [state], {
      nodeArguments: ['--expose-gc'],
    })
    expect(ending(child), child.stderr).toEqual({ code: 0, signal: null, hung: false })
    const lives = state !== 'closed' && state !== 'mid-close'
    expect(JSON.parse(child.stdout)).toEqual(
      lives ? { own: 'sent', other: 'queued' } : { own: 'gone', other: 'gone' },
    )
  })
})
