// What speaks HTTP/2 for `manager.on('stream')`, by the options of `open`.
import http2 from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { StreamManager, type ManagerOptions } from '../../dist/index.js'
import { connect } from '../helpers/client.js'
import { until } from '../helpers/wait.js'

const server = http2.createServer()
afterEach(async () => {
  await StreamManager.open().close()
  server.close()
})

const reactors = () =>
  StreamManager.open()
    .workers()
    .filter(({ kind }) => kind === 'reactor')

/** Which kinds of workers hold the one event stream that a client has opened. */
async function holders(options: ManagerOptions): Promise<string[]> {
  const manager = StreamManager.open(options)
  manager.on('stream', (stream) => manager.sse(stream).detach())
  manager.accept(server)
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
  const session = connect(`http://127.0.0.1:${port}`)
  session.request({ ':path': '/' }).on('error', () => {})
  await until('it is there', () => manager.stats().activeStreams === 1)
  const found = manager.workers().filter(({ streams }) => streams > 0)
  session.destroy()
  await until('it has gone', () => manager.stats().activeStreams === 0)
  return found.map(({ kind }) => kind)
}

test('without options, a reactor holds the streams', async () => {
  expect(await holders({})).toEqual(['reactor'])
})

test("with carrier: 'node', the thread of the accepted server holds them, and no reactor runs", async () => {
  expect(await holders({ carrier: 'node' })).toEqual(['thread'])
  expect(reactors()).toEqual([])
})

test('reactors start when somebody first listens to stream, once, and as many as were asked for', async () => {
  const manager = StreamManager.open({ reactors: 2 })
  expect(() => manager.on('stream', undefined as never)).toThrow('listener')
  expect(reactors()).toHaveLength(0)
  const listener = () => {}
  manager.on('stream', listener)
  const started = reactors().map(({ id }) => id)
  expect(started).toHaveLength(2)
  manager.off('stream', listener)
  manager.on('stream', () => {})
  expect(reactors().map(({ id }) => id)).toEqual(started)
})
