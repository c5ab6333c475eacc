import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { HoldfastError, StreamManager, type StreamUid } from '../../dist/index.js'

const code = (value: string): Error => expect.objectContaining({ code: value }) as Error

afterEach(() => StreamManager.open().close())

describe('open', () => {
  it('gives a thread one manager, and refuses other limits', () => {
    const manager = StreamManager.open({ sendBudgetBytes: 4096 })
    expect(StreamManager.open()).toBe(manager)
    expect(StreamManager.open({ sendBudgetBytes: 4096 })).toBe(manager)
    expect(() => StreamManager.open({ sendBudgetBytes: 8192 })).toThrowError(
      code('ERR_HOLDFAST_OPTIONS_MISMATCH'),
    )
  })

  it('refuses options that are unknown, out of range or of another type', () => {
    const wrong = [
      { colour: 'red' },
      { reactors: 65 },
      { carrier: 'pigeon' },
      { maxTotalStreams: 0 },
      { maxTotalStreams: 1.5 },
      { maxTotalStreams: '10' },
      { maxTotalStreams: Number.NaN },
      { cleanupIntervalMs: 1 },
      { sendBudgetBytes: 2 ** 31 },
      { idleTimeoutMs: -1 },
    ]
    for (const options of wrong) {
      expect(() => StreamManager.open(options as object)).toThrowError(
        code('ERR_HOLDFAST_INVALID_OPTION'),
      )
    }
    expect(() => StreamManager.open(null as unknown as object)).toThrowError(
      code('ERR_HOLDFAST_INVALID_OPTION'),
    )
  })
})

describe('a closed manager', () => {
  it('refuses every call, and lets the thread open anew', async () => {
    const manager = StreamManager.open()
    const stream = manager.register(new PassThrough())
    const { uid } = stream
    await manager.close()
    await manager.close()
    const calls: (() => unknown)[] = [
      () => manager.register(new PassThrough()),
      () => manager.sse(new PassThrough()),
      () => manager.find(uid),
      () => manager.has(uid),
      () => manager.get(uid),
      () => manager.send(uid, 'x'),
      () => manager.close(uid),
      () => manager.streams(),
      () => manager.stats(),
      () => manager.workers(),
      () => manager.accept({} as never),
      () => stream.send('x'),
      () => stream.detach(),
    ]
    for (const call of calls) expect(call).toThrowError(code('ERR_HOLDFAST_CLOSED'))
    await expect(manager.listen()).rejects.toThrowError(code('ERR_HOLDFAST_CLOSED'))
    expect(stream.live).toBe(false)
    const next = StreamManager.open()
    expect(next).not.toBe(manager)
    expect(next.has(uid)).toBe(false)
  })

  it('ends an enumeration that is under way', async () => {
    const manager = StreamManager.open()
    for (let i = 0; i < 100; i++) manager.register(new PassThrough())
    const streams = manager.streams()
    expect(streams.next().done).toBe(false)
    await manager.close()
    let rest = 0
    for (const _stream of streams) rest++
    expect(rest).toBeLessThan(100)
  })
})

describe('streams', () => {
  it('lists what each filter asks for', () => {
    const manager = StreamManager.open()
    const plain = manager.register(new PassThrough(), { tags: ['room:1', 'user:a'] })
    const events = manager.register(new PassThrough(), { kind: 'sse', tags: ['room:1'] }).detach()
    const uids = (filter: object): StreamUid[] =>
      [...manager.streams(filter)].map((info) => info.uid)
    expect(new Set(uids({}))).toEqual(new Set([plain.uid, events.uid]))
    expect(uids({ kind: 'sse' })).toEqual([events.uid])
    expect(uids({ detached: true })).toEqual([events.uid])
    expect(uids({ detached: false })).toEqual([plain.uid])
    expect(uids({ tag: 'room:1' }).length).toBe(2)
    expect(uids({ tag: 'user:a' })).toEqual([plain.uid])
    expect(uids({ tag: 'user' })).toEqual([])
    expect(uids({ worker: manager.worker }).length).toBe(2)
    expect(uids({ worker: manager.worker + 1 })).toEqual([])
    expect(uids({ address: '127.0.0.1' })).toEqual([])
    expect(uids({ idleForMs: 3_600_000 })).toEqual([])
    const wrong = [
      { kind: 'x' },
      { tag: 1 },
      { tag: '' },
      { tag: 'half \ud83d' },
      { address: '' },
      { address: 'nowhere' },
      { worker: -1 },
      { idleForMs: -1 },
      { colour: 1 },
    ]
    for (const filter of wrong) {
      expect(() => manager.streams(filter as object)).toThrowError(
        code('ERR_HOLDFAST_INVALID_OPTION'),
      )
    }
  })

  it('lists thousands, each once', () => {
    const manager = StreamManager.open()
    const all = Array.from({ length: 5000 }, () => manager.register(new PassThrough()).uid)
    const listed = [...manager.streams()].map((info) => info.uid)
    expect(listed.length).toBe(5000)
    expect(new Set(listed)).toEqual(new Set(all))
  })
})

describe('find', () => {
  it('is counted once: here as a hit, for a stream that is gone as a miss', () => {
    const manager = StreamManager.open()
    const { uid } = manager.register(new PassThrough())
    const before = manager.stats()
    manager.find(uid)
    manager.find((uid + 1n) as StreamUid)
    manager.has(uid)
    manager.send(uid, 'x')
    const stream = manager.get(uid)!.detach()
    expect([stream.detached, stream.tags.length, [...manager.streams()].length]).toEqual([
      true,
      0,
      1,
    ])
    const after = manager.stats()
    expect(after.cacheHits - before.cacheHits).toBe(1)
    expect(after.cacheMisses - before.cacheMisses).toBe(1)
    expect(after.crossWorkerLookups).toBe(before.crossWorkerLookups)
  })

  it('tells kind, tags, thread and times', () => {
    const manager = StreamManager.open()
    const began = Date.now()
    const stream = manager.register(new PassThrough(), { kind: 'sse', tags: ['ü'] })
    const info = manager.find(stream.uid)!
    expect(info).toMatchObject({
      uid: stream.uid,
      kind: 'sse',
      worker: manager.worker,
      socket: stream.socket.ids[0],
      detached: false,
      detachedAt: undefined,
      closing: false,
      queuedBytes: 0,
      tags: ['ü'],
    })
    expect(Math.abs(info.createdAt - began)).toBeLessThan(10_000)
    stream.detach()
    expect(manager.find(stream.uid)?.detachedAt).toBeGreaterThanOrEqual(info.createdAt)
  })
})

describe('send', () => {
  it('takes nothing but strings and bytes', () => {
    const manager = StreamManager.open()
    const { uid } = manager.register(new PassThrough())
    for (const data of [1, {}, null, undefined, [1]]) {
      expect(() => manager.send(uid, data as string)).toThrowError(
        code('ERR_HOLDFAST_INVALID_ARGUMENT'),
      )
    }
    expect(() => manager.send(uid, 'x', null as never)).toThrowError(
      code('ERR_HOLDFAST_INVALID_ARGUMENT'),
    )
  })
})

describe('HoldfastError', () => {
  it('is known across copies of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('holdfast.error')]: true })
    expect(foreign).toBeInstanceOf(HoldfastError)
    expect(new Error('x')).not.toBeInstanceOf(HoldfastError)
  })
})
