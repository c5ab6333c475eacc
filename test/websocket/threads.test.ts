import type { ClientHttp2Session } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager, type SendResult, type StreamClose } from '../../dist/index.js'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { Http2WebSocket } from '../helpers/websocket.js'
import { TestThread } from '../helpers/worker.js'

const script = new URL('fixtures/holder.mjs', import.meta.url)
const kSockets = 40

describe.each([false, true])('WebSockets on two threads, compressed: %s', (deflate) => {
  let threads: TestThread[] = []
  const sessions: ClientHttp2Session[] = []
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy()
    for (const thread of threads) await thread.terminate()
    await StreamManager.open().close()
  })

  it('are reached by uid and by topic from every thread, and closed from every thread', async () => {
    const manager = StreamManager.open()
    const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
    threads = await TestThread.all(script, 2)
    for (const thread of threads) await thread.call('accept', deflate)
    // One connection a thread.
    const clients: Http2WebSocket[] = []
    for (let i = 0; i < 2; i++) {
      const session = connect(`http://127.0.0.1:${port}`)
      sessions.push(session)
      for (let n = 0; n < kSockets / 2; n++) {
        clients.push(await Http2WebSocket.open(session, { deflate }))
      }
    }
    const uids: string[] = []
    for (const client of clients) uids.push(String((await client.next(1))[0]))
    expect(new Set(uids.map((uid) => uid.slice(0, 4))).size).toBe(2)
    expect(manager.stats().activeWebsocketStreams).toBe(kSockets)

    const results: SendResult[] = []
    for (const [i, uid] of uids.entries()) {
      for (const [t, thread] of threads.entries()) {
        const send = (...args: unknown[]) => thread.call<SendResult>('send', uid, ...args)
        results.push(await send(`${t}: to ${i}`))
        results.push(await send(Buffer.alloc(70_000, `${t}`)))
        results.push(await send(`${t}: as bytes to ${i}`, { binary: true }))
      }
    }
    expect(results.filter((result) => result === 'sent').length).toBe(kSockets * 3)
    expect(results.filter((result) => result === 'queued').length).toBe(kSockets * 3)
    for (const [i, client] of clients.entries()) {
      const got = (await client.next(7)).slice(1)
      // In order by sender; two senders' messages may come in any.
      for (const t of [0, 1]) {
        const [text, large, bytes] = got.filter((message) => String(message).startsWith(`${t}`))
        expect(text).toBe(`${t}: to ${i}`)
        expect(Buffer.alloc(70_000, `${t}`).equals(large as Buffer)).toBe(true)
        expect(bytes).toEqual(Buffer.from(`${t}: as bytes to ${i}`))
      }
    }

    for (const thread of threads) {
      expect(await thread.call('publish', 'to all')).toBe(kSockets)
      expect(await thread.call('publish', 'as bytes', { binary: true })).toBe(kSockets)
    }
    for (const client of clients) {
      const got = (await client.next(11)).slice(7).map(String).sort()
      expect(got).toEqual(['as bytes', 'as bytes', 'to all', 'to all'])
    }

    await expect(threads[0]!.call('close', uids[0], { code: 1005 })).rejects.toThrow(
      'ERR_HOLDFAST_INVALID_OPTION',
    )
    for (const [i, uid] of uids.entries()) {
      const closing = await threads[i % 2]!.call('close', uid, { code: 4000 + i, reason: `${i}` })
      expect(closing).toBe(true)
    }
    for (const [i, client] of clients.entries()) {
      await until('it was told', () => client.closeCode)
      expect([client.closeCode, client.closeReason]).toEqual([4000 + i, `${i}`])
      await client.close(4000 + i, `${i}`)
    }
    await until('all have gone', () => manager.stats().activeWebsocketStreams === 0)
    const closes: StreamClose[] = []
    for (const thread of threads) closes.push(...(await thread.call<StreamClose[]>('closes')))
    expect(closes.map(({ code }) => code).sort()).toEqual(uids.map((_, i) => 4000 + i))
    for (const thread of threads) await thread.call('leave')
  })
})
