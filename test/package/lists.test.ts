import { expect, test } from 'vitest'
import { status } from '../../dist/errors.js'
import { optionRules } from '../../dist/options.js'
import { slowPolicies } from '../../dist/slow-policy.js'
import { counterNames } from '../../dist/stats.js'
import { closeReasons, streamKinds } from '../../dist/stream-info.js'
import { camelCase, enumOf, readText } from '../helpers/repository.js'

// Both languages name these by position. A name added to one of them alone shifts all that follow:
// statistics appear under other names, options set other options.

function constant(header: string, name: string): number {
  return Number(new RegExp(`\\b${name} = (\\d+);`).exec(readText(header))?.[1])
}

const facts = 'native/core/stream_facts.h'

test('the counters of both languages agree', () => {
  const names = [...enumOf('native/core/counters.h', 'Counter').keys()].map(camelCase)
  // Behind these stand the counters of each kind, reason and policy, which have no names.
  expect(names.splice(-4)).toEqual(['created', 'destroyed', 'closed', 'overBudget'])
  expect(names).toEqual([...counterNames])
})

test('the options of both languages agree', () => {
  const names = [...enumOf('native/core/options.h', 'Option').keys()].map(camelCase)
  expect(names).toEqual(optionRules.map(({ name }) => name))
  expect(constant('native/core/options.h', 'kOptions')).toBe(optionRules.length)
})

test('the stream kinds of both languages agree', () => {
  const kinds = enumOf(facts, 'StreamKind')
  expect([...kinds.keys()].map((name) => camelCase(name).toLowerCase())).toEqual([...streamKinds])
  expect([...kinds.values()]).toEqual(streamKinds.map((_, index) => index))
  expect(constant(facts, 'kStreamKinds')).toBe(streamKinds.length)
})

test('the close reasons of both languages agree', () => {
  const reasons = enumOf(facts, 'CloseReason')
  expect([...reasons.keys()].map(camelCase)).toEqual([...closeReasons])
  expect([...reasons.values()]).toEqual(closeReasons.map((_, index) => index))
  expect(constant(facts, 'kCloseReasons')).toBe(closeReasons.length)
  expect(constant(facts, 'kSlowPolicies')).toBe(slowPolicies.length)
})

test('the statuses of both languages agree', () => {
  const natives = enumOf('native/base/status.h', 'Status')
  const named = Object.fromEntries([...natives].map(([name, value]) => [camelCase(name), value]))
  expect(named).toEqual(status)
})
