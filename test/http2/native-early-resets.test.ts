// A reactor may have ended a request before its Node thread hears of it. What a handler does with it
// then throws nothing: a peer that resets what it asks for must not be able to stop the process.
import { readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { descriptorOf } from '../../dist/http2/descriptor.js'
import { StreamManager, type RequestStream } from '../../dist/index.js'
import { encodeFrame, flag, frame, headerBlock, RawClient } from '../helpers/raw-http2.js'
import { collectUncaught, type UncaughtErrors } from '../helpers/uncaught.js'
import { until } from '../helpers/wait.js'

const kRequests = 50
let errors: UncaughtErrors
let manager: StreamManager

afterEach(async () => {
  errors.stop()
  await manager.close()
})

/** Lets this thread do nothing else until the reactor has read all that was written. */
function blockUntilPong({ socket }: RawClient): void {
  const fd = descriptorOf(socket)!
  const pong = encodeFrame(frame.ping, flag.ack, 0, Buffer.alloc(8))
  const deadline = performance.now() + 15_000
  const piece = Buffer.alloc(4096)
  for (let read = Buffer.alloc(0); !read.includes(pong);) {
    if (performance.now() > deadline) throw new Error('still not: a PING was answered')
    try {
      read = Buffer.concat([read, piece.subarray(0, readSync(fd, piece))])
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

/** Requests that the reactor has read, and their resets, before this thread hears of the first. */
async function askAndReset(handle: (stream: RequestStream) => unknown): Promise<void> {
  errors = collectUncaught()
  manager = StreamManager.open({ carrier: 'native', reactors: 1 })
  let handled = 0
  manager.on('stream', (stream) => {
    handled++
    return handle(stream)
  })
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
  const client = await RawClient.connect(port)
  const frames: Buffer[] = []
  for (let id = 1; id < 2 * kRequests; id += 2) {
    frames.push(
      encodeFrame(frame.headers, flag.endHeaders | flag.endStream, id, headerBlock('GET', '/')),
      encodeFrame(frame.rstStream, 0, id, Buffer.from([0, 0, 0, 8])),
    )
  }
  frames.push(encodeFrame(frame.ping, 0, 0, Buffer.alloc(8)))
  client.socket.write(Buffer.concat(frames))
  blockUntilPong(client)
  await until('all were handled', () => handled === kRequests)
  await until('nothing is held', () => manager.stats().activeStreams === 0)
  client.socket.destroy()
  await until('the session has gone', () => manager.stats().activeSockets === 0)
  expect(errors.messages).toEqual([])
}

it('may be opened as an event stream', () =>
  askAndReset((stream) => {
    manager.sse(stream).detach()
  }))

it('may be opened as an event stream by a handler that waits first', () =>
  askAndReset(async (stream) => {
    await Promise.resolve()
    manager.sse(stream).detach()
  }))

it('may be listened to, sent to, subscribed, detached and closed', async () => {
  const closes: string[] = []
  await askAndReset((stream) => {
    stream.on('close', ({ reason }) => closes.push(reason))
    stream.send('a')
    stream.subscribe('b')
    stream.detach().close()
  })
  await until('each was told of its end', () => closes.length === kRequests)
  expect(new Set(closes)).toEqual(new Set(['abort']))
})

it('is told of its end once, however many listen', async () => {
  const before: string[] = []
  const after: string[] = []
  await askAndReset((stream) => {
    stream.on('close', ({ reason }) => before.push(reason))
    stream.on('close', ({ reason }) => after.push(reason))
  })
  await until('each was told of its end', () => after.length >= kRequests)
  await setImmediate()
  expect([before.length, after.length]).toEqual([kRequests, kRequests])
})

it('says that it has gone', async () => {
  const answers = new Set<unknown>()
  await askAndReset((stream) => {
    answers.add(stream.send('a')).add(stream.subscribe('b')).add(stream.close()).add(stream.live)
  })
  expect(answers).toEqual(new Set(['gone', false]))
})

it('may be answered', () =>
  askAndReset((stream) => {
    stream.respond({ ':status': 200 })
    stream.write('some')
    stream.end('more')
  }))
