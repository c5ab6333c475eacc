import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StreamManager, type StreamUid } from '../../dist/index.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const script = new URL('fixtures/waiting.mjs', import.meta.url)
const manager = StreamManager.open({ sendBudgetBytes: 4096 })
let owner: TestThread
let other: TestThread

beforeEach(async () => {
  ;[owner, other] = (await TestThread.all(script, 2)) as [TestThread, TestThread]
})
afterEach(async () => {
  await Promise.all([owner, other].map((thread) => thread.terminate()))
  await until('they have gone', () => manager.workers().length === 1)
})

/** How it ended: `taken`, or the error's code; undefined while it waits. */
function watch(wait: Promise<unknown>): { ended: () => string | undefined } {
  let ended: string | undefined
  wait.then(
    () => (ended = 'taken'),
    (error: { code?: string; message?: string }) => (ended = error.code ?? error.message),
  )
  return { ended: () => ended }
}

const senders = {
  'from another thread': (uid: StreamUid, text: string) => manager.sendAndWait(uid, text),
  'from the stream’s own': (uid: StreamUid, text: string) => owner.call('sendAndWait', uid, text),
}
for (const [where, send] of Object.entries(senders)) {
  describe(where, () => {
    for (const onSlow of ['drop', 'drop-oldest'] as const) {
      test(`${onSlow}: it waits until the socket took the message`, async () => {
        const uid = await owner.call<StreamUid>('hold', { onSlow })
        const { ended } = watch(send(uid, 'hello'))
        await until('it is written', async () => (await owner.call<number>('pending', 0)) === 1)
        expect(ended()).toBeUndefined()
        await owner.call('take', 0)
        await until('it is told', ended)
        expect(ended()).toBe('taken')
      })
    }

    test('it rejects when the stream is destroyed first, or was gone before', async () => {
      const uid = await owner.call<StreamUid>('hold')
      const { ended } = watch(send(uid, 'hello'))
      await until('it is written', async () => (await owner.call<number>('pending', 0)) === 1)
      await owner.call('destroy', 0)
      await until('it is told', ended)
      expect(ended()).toMatch('ERR_HOLDFAST_GONE')
      await until('it is gone', () => !manager.has(uid))
      const late = watch(send(uid, 'hello'))
      await until('it is told', late.ended)
      expect(late.ended()).toMatch('ERR_HOLDFAST_GONE')
    })

    test('it rejects when the stream is full', async () => {
      const uid = await owner.call<StreamUid>('hold')
      const first = watch(send(uid, 'x'.repeat(3000)))
      await until('it is written', async () => (await owner.call<number>('pending', 0)) === 1)
      const { ended } = watch(send(uid, 'x'.repeat(3000)))
      await until('it is told', ended)
      expect(ended()).toMatch('ERR_HOLDFAST_FULL')
      expect(first.ended()).toBeUndefined()
    })

    test('it rejects when a later message takes its place', async () => {
      const uid = await owner.call<StreamUid>('hold', { onSlow: 'drop-oldest' })
      const waits = Array.from({ length: 8 }, () => watch(send(uid, 'x'.repeat(1000))))
      await until('some are dropped', () => waits.filter((wait) => wait.ended()).length === 4)
      expect(new Set(waits.map((wait) => wait.ended()))).toEqual(
        new Set([undefined, expect.stringMatching('ERR_HOLDFAST_DROPPED')]),
      )
      await until('the others are taken', async () => {
        await owner.call('take', 0)
        return waits.every((wait) => wait.ended())
      })
      expect(waits.filter((wait) => wait.ended() === 'taken')).toHaveLength(4)
    })
  })
}

test('it rejects when the stream’s thread is terminated, with the message in mail or in hand', async () => {
  const uid = await owner.call<StreamUid>('hold')
  const inHand = watch(manager.sendAndWait(uid, 'in hand'))
  await until('it is written', async () => (await owner.call<number>('pending', 0)) === 1)
  owner.call('block', 60_000).catch(() => {})
  const inMail = watch(manager.sendAndWait(uid, 'in mail'))
  await new Promise((resolve) => setImmediate(resolve))
  await owner.terminate()
  await until('both are told', () => inHand.ended() && inMail.ended())
  expect([inHand.ended(), inMail.ended()]).toEqual(['ERR_HOLDFAST_GONE', 'ERR_HOLDFAST_GONE'])
})

test('it rejects when the waiting thread’s manager closes, and nobody is told of a thread that died', async () => {
  const uid = await owner.call<StreamUid>('hold')
  const closing = watch(other.call('sendAndWait', uid, 'never told'))
  await until('it is written', async () => (await owner.call<number>('pending', 0)) === 1)
  await other.call('close')
  await until('it is told', closing.ended)
  expect(closing.ended()).toMatch('ERR_HOLDFAST_CLOSED')
  await other.terminate()
  await owner.call('take', 0)
  const { ended } = watch(manager.sendAndWait(uid, 'goes on'))
  await until('it is taken', async () => {
    await owner.call('take', 0)
    return ended() === 'taken'
  })
})
