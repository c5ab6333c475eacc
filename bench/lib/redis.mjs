// Debian's redis-server as a peer, and as little of its protocol as pub/sub of one channel needs, so that
// what is measured is Redis and not a client library.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { until } from './wait.mjs'

/** Why there is no Redis here; undefined if there is. */
export function redisMissing() {
  const { status } = spawnSync('redis-server', ['--version'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'redis-server is not installed (Debian: redis-server)'
}

/** A port that was free a moment ago: for programs that cannot tell which one they chose. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

export async function open(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

export async function startRedis() {
  const port = await freePort()
  const options = { bind: '127.0.0.1', port, save: '', appendonly: 'no', daemonize: 'no' }
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  // The bench bounds what is on its way; a subscriber must not be cut off for being behind.
  words.push('--client-output-buffer-limit', 'pubsub 0 0 0')
  const child = spawn('redis-server', words, { stdio: 'ignore' })
  process.on('exit', () => child.kill('SIGKILL'))
  await until('redis-server', () =>
    open(port).then(
      (socket) => socket.destroy() !== undefined,
      () => false,
    ),
  )
  return { port, stop: () => child.kill() }
}

/** Calls back with each message of channel `c`, all of which have so many bytes as `setBytes` said. */
export async function subscribe(port, onMessage) {
  const socket = await open(port)
  let header = Buffer.alloc(0)
  let size = 0
  let rest = Buffer.alloc(0)
  const take = (arrived) => {
    const bytes = rest.length === 0 ? arrived : Buffer.concat([rest, arrived])
    let at = 0
    for (; at + header.length + size + 2 <= bytes.length; at += header.length + size + 2) {
      const payload = at + header.length
      if (bytes.compare(header, 0, header.length, at, payload) !== 0) {
        throw new Error('Redis sent something else')
      }
      onMessage(bytes.subarray(payload, payload + size))
    }
    rest = bytes.subarray(at)
  }
  socket.write('SUBSCRIBE c\r\n')
  await once(socket, 'data')
  socket.on('data', take)
  return {
    setBytes(bytes) {
      size = bytes
      header = Buffer.from(`*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$${bytes}\r\n`)
    },
    close: () => socket.destroy(),
  }
}

/** Publishes on channel `c`; what a tick says is one write, as good clients do. */
export async function publisher(port) {
  const socket = await open(port)
  socket.resume() // how many subscribers each reached
  let pending = []
  return (payload) => {
    const bytes = Buffer.from(payload)
    pending.push(Buffer.from(`*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$${bytes.length}\r\n`), bytes, kEnd)
    if (pending.length > 3) return
    process.nextTick(() => {
      socket.write(Buffer.concat(pending))
      pending = []
    })
  }
}
const kEnd = Buffer.from('\r\n')
