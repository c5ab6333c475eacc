import { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type StreamUid } from '../../dist/index.js'
import { connect, get } from '../helpers/client.js'
import { serveEvents, serveStreams, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let server: TestServer | undefined

afterEach(async () => {
  await server?.close()
  await StreamManager.open().close()
  server = undefined
})

/** A Duplex whose writes wait until somebody lets them through, and that counts them. */
function gated() {
  const writes: Buffer[] = []
  let release: (() => void) | undefined
  let open = false
  const stream = new Duplex({
    read() {},
    writableHighWaterMark: 1,
    writev(chunks, done) {
      writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)))
      if (open) done()
      else release = done
    },
  })
  return {
    stream,
    writes,
    letThrough() {
      open = true
      release?.()
    },
  }
}

describe('the send budget', () => {
  it('is a hard cap over what the stream has buffered, and is given back by the socket', async () => {
    const manager = StreamManager.open({ sendBudgetBytes: 1024 })
    const { stream, letThrough } = gated()
    const { uid } = manager.register(stream)
    expect(manager.send(uid, Buffer.alloc(1025))).toBe('full')
    expect(manager.send(uid, Buffer.alloc(600))).toBe('sent')
    expect(manager.send(uid, Buffer.alloc(425))).toBe('full')
    expect(manager.send(uid, Buffer.alloc(424))).toBe('sent')
    expect(manager.find(uid)?.queuedBytes).toBe(1024)
    expect(manager.send(uid, 'x')).toBe('full')
    letThrough()
    await until('the budget is back', () => manager.find(uid)?.queuedBytes === 0)
    expect(manager.send(uid, Buffer.alloc(1024))).toBe('sent')
  })
})

describe('what is published on the thread of a stream', () => {
  for (const how of ['close', 'end'] as const) {
    it(`comes before the ${how} that follows it`, async () => {
      const opened: (() => void)[] = []
      server = await serveStreams((stream) => {
        const managed = StreamManager.open().sse(stream).detach()
        managed.subscribe('t')
        opened.push(() => void (how === 'close' ? managed.close() : stream.end()))
      })
      const client = connect(server.url)
      const reading = await get(client)
      for (const text of ['a', 'b']) expect(server.manager.publish('t', text)).toBe(1)
      opened[0]!()
      await until('it ended', reading.closed)
      expect(reading.text()).toBe('data: a\n\ndata: b\n\n')
      client.destroy()
    })
  }
})

describe('what one tick writes to one stream', () => {
  it('is one write', async () => {
    const manager = StreamManager.open()
    const { stream, writes, letThrough } = gated()
    letThrough()
    const { uid } = manager.register(stream)
    for (const part of ['a', 'b', 'c']) manager.send(uid, part)
    await until('all was written', () => Buffer.concat(writes).toString() === 'abc')
    expect(writes.length).toBe(1)
  })
})

describe('the limits', () => {
  it('refuse the stream that would pass them, and give its place back', async () => {
    const manager = StreamManager.open({ maxStreamsPerWorker: 2 })
    const first = gated().stream
    manager.register(first)
    manager.register(gated().stream)
    const code = (value: string) => expect.objectContaining({ code: value }) as Error
    expect(() => manager.register(gated().stream)).toThrowError(code('ERR_HOLDFAST_WORKER_LIMIT'))
    expect(manager.stats()).toMatchObject({ activeStreams: 2, activeSockets: 2 })
    first.destroy()
    await until('a place is free', () => manager.stats().activeStreams === 1)
    manager.register(gated().stream)
    await manager.close()
    const other = StreamManager.open({ maxTotalStreams: 1 })
    other.register(gated().stream)
    expect(() => other.register(gated().stream)).toThrowError(code('ERR_HOLDFAST_TOTAL_LIMIT'))
  })

  it('leave a request unanswered that cannot become an event stream', async () => {
    server = await serveStreams(
      (stream) => {
        try {
          server!.manager.sse(stream)
        } catch {
          stream.respond({ ':status': 503 }, { endStream: true })
        }
      },
      { maxTotalStreams: 1 },
    )
    const client = connect(server.url)
    expect((await get(client)).status).toBe(200)
    expect((await get(client)).status).toBe(503)
    client.destroy()
  })
})

describe('the clean-up timer', () => {
  const short = { cleanupIntervalMs: 10 }

  /** Registers two detached event streams and tells how each closed. */
  async function twoStreams(options: object) {
    const closes = new Map<StreamUid, string>()
    const uids: StreamUid[] = []
    server = await serveEvents(
      (stream) => {
        uids.push(stream.uid)
        stream.on('close', ({ reason }) => closes.set(stream.uid, reason))
      },
      { ...short, ...options },
    )
    const client = connect(server.url)
    const readings = [await get(client), await get(client)]
    return { closes, uids, readings, client }
  }

  it('closes a stream without a byte for idleTimeoutMs, and not one that is sent to', async () => {
    const { closes, uids, readings, client } = await twoStreams({ idleTimeoutMs: 1500 })
    const timer = setInterval(() => server!.manager.send(uids[1]!, 'x'), 20)
    await until(
      'the idle one closed',
      () => closes.get(uids[0]!) === 'idle' && readings[0]!.closed(),
    )
    expect(closes.has(uids[1]!)).toBe(false)
    clearInterval(timer)
    await until('the other one too', () => closes.get(uids[1]!) === 'idle')
    client.destroy()
  })

  it('takes what its user writes or its peer sends for activity', async () => {
    const manager = StreamManager.open({ ...short, idleTimeoutMs: 1500 })
    const [written, fed, quiet] = [gated(), gated(), gated()]
    for (const { letThrough } of [written, fed, quiet]) letThrough()
    const uids = [written, fed, quiet].map(({ stream }) => manager.register(stream.resume()).uid)
    const timer = setInterval(() => {
      written.stream.write('x')
      fed.stream.push('y')
    }, 20)
    await until('the quiet one closed', () => !manager.has(uids[2]!))
    expect(uids.map((uid) => manager.has(uid))).toEqual([true, true, false])
    clearInterval(timer)
  })

  it('closes a stream that is maxAgeMs old, however busy', async () => {
    const { closes, uids, client } = await twoStreams({ maxAgeMs: 300 })
    const timer = setInterval(() => uids.forEach((uid) => server!.manager.send(uid, 'x')), 20)
    await until('both closed', () => closes.size === 2)
    expect([...closes.values()]).toEqual(['maxAge', 'maxAge'])
    clearInterval(timer)
    client.destroy()
  })

  it('breaks off a stream that was told to close and whose peer does not read', async () => {
    const manager = StreamManager.open(short)
    const { stream } = gated()
    const managed = manager.register(stream)
    managed.send('never taken')
    expect(managed.close()).toBe(true)
    expect(managed.close()).toBe(false)
    expect(managed.send('after')).toBe('gone')
    expect(manager.find(managed.uid)?.closing).toBe(true)
    await until('it was broken off', () => stream.destroyed && !manager.has(managed.uid))
  })
})
