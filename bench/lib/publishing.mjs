// A server that publishes, with its clients: what peers.mjs and echo.mjs have in common.
import { processesCpuUs } from './cpu.mjs'
import { startPeer } from './peer.mjs'
import { nowNs } from './statistics.mjs'
import { until } from './wait.mjs'

/** A peer's process and that of its clients, all of whose streams are open. */
export async function startSide(peer, script, shape, window, checks) {
  const { carrier, sessions, streamsEach, workers } = shape
  const server = await startPeer(new URL(`../peers/${script}`, import.meta.url), [carrier, workers])
  const client = await startPeer(new URL('../load/peers-client.mjs', import.meta.url))
  client.on('progress', ({ rounds }) => server.tell('progress', { rounds, window }))
  const { port, pids } = await server.ask('where')
  const { answered } = await client.ask('open', {
    port,
    carrier: peer === 'socket.io' ? peer : carrier,
    sessions,
    streamsEach,
  })
  checks.equal(`${peer} ${carrier}: streams answered`, sessions * streamsEach, answered)
  return { peer, server, client, pids, streams: sessions * streamsEach, published: 0, runs: [] }
}

/** Messages a second and CPU microseconds of the server a message, of what `action` does. */
export async function measured(side, messages, action) {
  const before = processesCpuUs(side.pids)
  const begin = nowNs()
  await action()
  const seconds = (nowNs() - begin) / 1e9
  return { rate: messages / seconds, cpu: (processesCpuUs(side.pids) - before) / messages }
}

/** So many events to each stream, never more than `window` ahead of the slowest. */
export function publish(side, events, window) {
  return measured(side, events * side.streams, async () => {
    side.server.tell('progress', { rounds: side.published, window })
    const published = side.server.ask('publish', { events, window: side.published + window })
    side.published += events
    await published
    await until('all events', async () => {
      const counts = await side.client.ask('counts')
      return counts.events >= side.published * side.streams
    })
  })
}
