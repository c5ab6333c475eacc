// One population of memory.mjs: makes the streams, collects garbage, and tells what is resident.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import http2 from 'node:http2'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { StreamManager } from 'holdfast'
import { residentMemory } from '../lib/resident.mjs'
import { answer, until } from '../lib/wait.mjs'

const manager = StreamManager.open({ pingIntervalMs: 0 })

function ignore() {}

const makers = {
  /** Streams that cost no socket: each stands for its own. */
  async duplex({ sockets }, hold) {
    class Idle extends Duplex {
      _read() {}
      _write(_chunk, _encoding, callback) {
        callback()
      }
    }
    for (let i = 0; i < sockets; i++) hold(new Idle())
  },

  async http2({ sockets, streamsEach }, hold) {
    const server = http2.createServer({
      maxSessionMemory: 64,
      settings: { maxConcurrentStreams: streamsEach + 1 },
    })
    let made = 0
    server.on('stream', (stream) => {
      stream.on('error', ignore)
      stream.respond()
      hold(stream)
      made++
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = fork(fileURLToPath(new URL('./memory-client.mjs', import.meta.url)), {
      execArgv: [],
    })
    process.on('exit', () => client.kill())
    await answer(client, 'ready')
    client.send({ port: server.address().port, sockets, streamsEach })
    await until('all streams', () => made === sockets * streamsEach, 300_000)
  },
}

process.on('message', async ({ carrier, sockets, streamsEach, registered }) => {
  // Room for all of them beforehand, so that its growth is not measured.
  const streams = new Array(sockets * streamsEach).fill(undefined)
  let made = 0
  const before = await residentMemory()
  await makers[carrier]({ sockets, streamsEach }, (stream) => {
    streams[made++] = stream
    if (registered) manager.register(stream).detach()
  })
  const after = await residentMemory()
  const { activeStreams, detachedStreams } = manager.stats()
  process.send({
    type: 'done',
    made: streams.filter((stream) => !stream.destroyed).length,
    live: activeStreams,
    detached: detachedStreams,
    heap: after.heap - before.heap,
    native: after.native - before.native,
  })
})
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
process.send({ type: 'ready' })
