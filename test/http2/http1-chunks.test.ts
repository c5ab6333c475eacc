import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { createGzip } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { StreamManager, type ManagedStream } from '../../dist/index.js'
import { serve, type TestServer } from '../helpers/server.js'
import { until } from '../helpers/wait.js'

let server: TestServer | undefined
let stream: ManagedStream
afterEach(async () => {
  await server?.close()
  await StreamManager.open().close()
})

/** An HTTP/1.1 server whose answers are event streams, after `prepare` has had them. */
async function serveEvents(prepare: (response: ServerResponse) => void = () => {}): Promise<void> {
  const node = http.createServer((_request, response) => {
    prepare(response)
    stream = StreamManager.open().sse(response).detach()
  })
  server = await serve(node)
}

interface Reading {
  response: IncomingMessage
  text: () => string
}

async function read(): Promise<Reading> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    http.get(server!.url, resolve).on('error', reject)
  })
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { response, text: () => Buffer.concat(chunks).toString() }
}

const sizes = [1, 15, 16, 255, 30_000, 4095, 16_370, 16_380, 40_000, 2, 100_000, 3]
const messages = sizes.map((size, i) => `${i} ${'x'.repeat(size)}`)
const expected = messages.map((message) => `data: ${message}\n\n`).join('')

describe('messages of every size over HTTP/1.1 arrive in order, and their end is told', () => {
  const ways: Record<string, (send: (message: string) => void) => Promise<void> | void> = {
    'in one tick': (send) => messages.forEach((message) => send(message)),
    'each in its own': async (send) => {
      for (const message of messages) {
        send(message)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
  for (const [name, speak] of Object.entries(ways)) {
    for (const how of ['sent', 'published']) {
      test(`${how} ${name}`, async () => {
        await serveEvents()
        const { response, text } = await read()
        stream.subscribe('topic')
        const manager = StreamManager.open()
        await speak((message) => {
          if (how === 'sent') expect(manager.send(stream.uid, message)).toBe('sent')
          else expect(manager.publish('topic', message)).toBe(1)
        })
        await until('all of it', () => text().length >= expected.length)
        expect(text() === expected).toBe(true)
        stream.close()
        await until('the end', () => response.complete)
      })
    }
  }
})

describe('what the application writes itself keeps its place', () => {
  for (const corks of [false, true]) {
    test(corks ? 'where it corks' : 'where it does not', async () => {
      let response: ServerResponse | undefined
      await serveEvents((one) => (response = one))
      const { text } = await read()
      stream.send('1')
      if (corks) response!.cork()
      response!.write(': two\n\n')
      stream.send('3')
      response!.write(': four\n\n')
      stream.send('5')
      if (corks) response!.uncork()
      await until('all of it', () => text().includes('5'))
      expect(text()).toBe('data: 1\n\n: two\n\ndata: 3\n\n: four\n\ndata: 5\n\n')
    })
  }
})

test('who compresses what is written has it as it was sent', async () => {
  await serveEvents((response) => {
    const gzip = createGzip()
    response.setHeader('content-encoding', 'gzip')
    const write = response.write.bind(response) as (bytes: Buffer) => boolean
    gzip.on('data', (bytes: Buffer) => write(bytes))
    response.write = ((bytes: Buffer) => {
      gzip.write(bytes)
      gzip.flush()
      return true
    }) as typeof response.write
  })
  const answer = await fetch(server!.url)
  stream.send('hello')
  const { value } = await answer.body!.getReader().read()
  expect(Buffer.from(value!).toString()).toBe('data: hello\n\n')
})

test('a client of HTTP/1.0 has no chunks', async () => {
  await serveEvents()
  const { port } = new URL(server!.url)
  const socket = connect(Number(port), '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  await until('the head', () => text.includes('\r\n\r\n'))
  stream.send('one')
  stream.send('two')
  await until('the events', () => text.endsWith('two\n\n'))
  expect(text.split('\r\n\r\n')[1]).toBe('data: one\n\ndata: two\n\n')
  stream.close()
  await until('the end', () => socket.readableEnded)
})
