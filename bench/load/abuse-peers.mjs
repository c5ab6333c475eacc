// The peers of abuse.mjs: each connection says something that a server must not let go on, until it is
// cut off or its time is over; then comes the next.
import net from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { abuses } from './abuses.mjs'
import { preface } from '../lib/http2-frames.mjs'
import { answerParent } from '../lib/peer.mjs'

/** Frames of one turn of a connection's. */
const kBatch = 100

async function one(port, { frames, reads = true }, deadline, counts) {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  if (reads) socket.resume()
  else socket.pause()
  const gone = once(socket, 'close').catch(() => {})
  await Promise.race([once(socket, 'connect').catch(() => {}), gone])
  counts.connections++
  socket.write(preface)
  for (let i = 0; !socket.destroyed && performance.now() < deadline;) {
    const batch = []
    for (let end = i + kBatch; i < end; i++) {
      const bytes = frames(i)
      if (bytes) batch.push(bytes)
    }
    counts.frames += batch.length
    if (batch.length > 0 && !socket.write(Buffer.concat(batch))) {
      await Promise.race([once(socket, 'drain').catch(() => {}), gone, sleep(50)])
    }
    // A peer that is a little slower than it could be, so that there is a processor for the others.
    await Promise.race([gone, sleep(1)])
  }
  if (socket.destroyed) counts.cut++
  socket.resetAndDestroy()
  await gone
}

answerParent({
  async abuse({ port, kind, peers, forMs }) {
    const deadline = performance.now() + forMs
    const counts = { connections: 0, frames: 0, cut: 0 }
    await Promise.all(
      Array.from({ length: peers }, async () => {
        while (performance.now() < deadline) await one(port, abuses[kind], deadline, counts)
      }),
    )
    return counts
  },
})
