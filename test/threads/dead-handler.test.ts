// What becomes of streams on reactors when the thread that was given their requests dies.
import { constants } from 'node:http2'
import { afterAll, expect, test } from 'vitest'
import { StreamManager } from '../../dist/index.js'
import { connect, get } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { TestThread } from '../helpers/worker.js'

const manager = StreamManager.open({ carrier: 'native', reactors: 1 })
afterAll(() => manager.close())

test('requests that a terminated thread held are reset, and its detached streams live on', async () => {
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
  const thread = await TestThread.start(new URL('fixtures/handler.mjs', import.meta.url))
  const client = connect(`http://127.0.0.1:${port}`)
  const events = await get(client, '/events')
  const request = client.request({ ':path': '/never-answered' })
  request.on('error', () => {})
  await until('the thread has it', async () => (await thread.call<number>('held')) === 1)

  await thread.terminate()
  await until('it is reset', () => request.destroyed)
  expect(request.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  expect(client.destroyed).toBe(false)

  const [uid] = manager.subscribers('news')
  expect(manager.find(uid!)).toMatchObject({ kind: 'sse', detached: true })
  expect(manager.send(uid!, 'by uid')).toBe('queued')
  expect(manager.publish('news', 'by topic')).toBe(1)
  await until('both came', () => events.text() === 'data: by uid\n\ndata: by topic\n\n')
  expect(manager.close(uid!)).toBe(true)
  await until('it ended', events.closed)
  client.destroy()
})
