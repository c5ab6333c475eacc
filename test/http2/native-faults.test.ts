// Some 400 faults of a peer on the native carrier, each on a connection of its own: what it is answered
// with, and that nothing of it is left, while a session that behaves is served.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { serveAbuse, type AbuseServer } from '../helpers/abuse-server.js'
import { brokenFrames, error, type Fault, u32 } from '../helpers/broken-frames.js'
import { brokenRequests } from '../helpers/broken-requests.js'
import { encodeFrame, flag, frame, headerBlock, RawClient } from '../helpers/raw-http2.js'
import { until } from '../helpers/wait.js'

const kPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
let server: AbuseServer

beforeAll(async () => {
  server = await serveAbuse()
})
afterEach(() => server.nothingLeft())
afterAll(() => server.close())

const isOver = ({ socket }: RawClient) => socket.readableEnded || socket.destroyed
/** The codes with which streams were reset. */
const resets = (client: RawClient, stream: number) =>
  client.received(frame.rstStream, stream).map((body) => body.readUInt32BE(0))

/** However it is closed. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}

/** With an open POST on stream 1, and the fault behind it. */
async function commit({ bytes }: Fault): Promise<RawClient> {
  const client = await RawClient.connect(server.port)
  client.post(1, '/echo')
  client.socket.write(bytes)
  return client
}

/** Each by itself, some at a time: how each was answered, by its name. */
async function answersTo(
  faults: readonly Fault[],
  answerTo: (fault: Fault) => Promise<string>,
): Promise<[string, string][]> {
  const answers: [string, string][] = []
  for (let at = 0; at < faults.length; at += 50) {
    const some = faults.slice(at, at + 50)
    answers.push(
      ...(await Promise.all(
        some.map(async (fault) => [fault.what, await answerTo(fault)] as [string, string]),
      )),
    )
  }
  return answers
}

test('frames that break the protocol end their connection, each with the code that says why', async () => {
  const faults = brokenFrames()
  const answers = await server.abuse(() =>
    answersTo(faults, async (fault) => {
      const client = await commit(fault)
      await until(`the end after ${fault.what}`, () => isOver(client))
      client.socket.destroy()
      return client
        .received(frame.goaway)
        .map((body) => `GOAWAY ${body.readUInt32BE(4)}`)
        .join()
    }),
  )
  expect(answers).toEqual(faults.map(({ what, code }) => [what, `GOAWAY ${code}`]))
})

test('malformed requests are reset, and those beside them on the connection answered', async () => {
  const faults = brokenRequests()
  const answers = await server.abuse(() =>
    answersTo(faults, async (fault) => {
      const client = await commit(fault)
      client.get(5, '/')
      await until(
        `the answers to ${fault.what}`,
        () => isOver(client) || (resets(client, 3).length > 0 && client.received(frame.data, 5)[0]),
      )
      const answer = `${resets(client, 3).join()}, then ${Buffer.concat(client.received(frame.data, 5)).toString()}`
      client.socket.destroy()
      return answer
    }),
  )
  expect(answers).toEqual(faults.map(({ what, code }) => [what, `${code}, then answered`]))
})

// RFC 9113, section 6.9.1, allows both, and not all versions of nghttp2 do the same.
test('a window opened too far ends its stream or its connection, with the code that says so', async () => {
  await server.abuse(async () => {
    const client = await RawClient.connect(server.port)
    client.post(1, '/echo')
    client.socket.write(encodeFrame(8, 0, 1, u32(0x7fffffff)))
    const codes = () => [
      ...resets(client, 1),
      ...client.received(frame.goaway).map((body) => body.readUInt32BE(4)),
    ]
    await until('the answer', () => codes().length > 0)
    expect(codes()).toEqual([error.flowControl])
    client.socket.destroy()
  })
})

test('a connection that begins like HTTP/2 and goes on otherwise is ended', async () => {
  const beginnings = [...kPreface.keys()].map((at) => {
    const bytes = Buffer.from(kPreface)
    bytes[at]! ^= 1
    return bytes
  })
  for (const type of [...Array(10).keys(), 99].filter((one) => one !== frame.settings)) {
    beginnings.push(Buffer.concat([kPreface, encodeFrame(type, 0, 0, Buffer.alloc(8))]))
  }
  await server.abuse(() =>
    Promise.all(
      beginnings.map(async (bytes) => {
        const socket = connect({ port: server.port, host: '127.0.0.1' })
        socket.on('error', () => {}).resume()
        socket.write(bytes)
        await closed(socket)
      }),
    ),
  )
})

/** What a proper client says: of each kind of frame that it may send, one at least. */
function properTalk(): Buffer {
  const block = headerBlock('POST', '/echo')
  return Buffer.concat([
    kPreface,
    encodeFrame(frame.settings, 0, 0, Buffer.from([0, 4, 0, 1, 0, 0])),
    encodeFrame(frame.headers, 0, 1, block.subarray(0, 20)),
    encodeFrame(9, flag.endHeaders, 1, block.subarray(20)),
    encodeFrame(frame.data, 8, 1, Buffer.from('\x04body\0\0\0\0')),
    encodeFrame(8, 0, 0, Buffer.from([0, 0, 0, 9])),
    encodeFrame(2, 0, 1, Buffer.from([0, 0, 0, 0, 7])),
    encodeFrame(frame.headers, 5, 3, headerBlock('GET', '/large')),
    encodeFrame(frame.headers, 5, 5, headerBlock('GET', '/events')),
    encodeFrame(frame.ping, 0, 0, Buffer.alloc(8)),
    encodeFrame(frame.rstStream, 0, 3, Buffer.from([0, 0, 0, 8])),
    encodeFrame(frame.headers, 5, 1, Buffer.from([0, 1, 97, 1, 98])),
    encodeFrame(frame.goaway, 0, 0, Buffer.alloc(8)),
  ])
}

/** Says so much, and leaves. */
async function sayAndLeave(bytes: Buffer, how: 'end' | 'reset' | 'destroy'): Promise<void> {
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  await new Promise((resolve) => socket.write(bytes, resolve))
  if (how === 'end') socket.end()
  else if (how === 'reset') socket.resetAndDestroy()
  else socket.destroy()
  await closed(socket)
}
const kWays = ['end', 'reset', 'destroy'] as const

test('a peer that leaves amid any byte of what it says leaves nothing behind', async () => {
  const talk = properTalk()
  await server.abuse(async () => {
    for (let size = 0; size <= talk.length; size++) {
      await sayAndLeave(talk.subarray(0, size), kWays[size % 3]!)
    }
  })
})

test('bytes changed at random leave nothing behind', async () => {
  const talk = properTalk()
  let seed = 20261126
  const below = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % n
  }
  await server.abuse(async () => {
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(talk)
      for (let changes = 1 + below(3); changes > 0; changes--) {
        bytes[kPreface.length + below(talk.length - kPreface.length)] = below(256)
      }
      await sayAndLeave(bytes, kWays[i % 3]!)
    }
  })
})
