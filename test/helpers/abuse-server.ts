// A native-carrier server to be abused, an honest session to it, and what must be left of abusers.
import { once } from 'node:events'
import { pipeline } from 'node:stream'
import { expect } from 'vitest'
import { StreamManager, type ManagerOptions, type StreamUid } from '../../dist/index.js'
import { connect, get } from './client.js'
import { closeWait, openSockets } from './fds.js'
import { ask } from './requests.js'
import { until } from './wait.js'

/** Bytes of the answer to `/large`. */
export const kLarge = 1 << 20

export interface AbuseServer {
  readonly manager: StreamManager
  readonly port: number
  /** Does it while the honest session is answered again and again, and its events come. */
  abuse<T>(doIt: () => Promise<T>): Promise<T>
  /** Waits until sockets, sessions, streams and bytes are as they were before the abuse. */
  nothingLeft(): Promise<void>
  close(): Promise<void>
}

export async function serveAbuse(options: ManagerOptions = {}): Promise<AbuseServer> {
  const manager = StreamManager.open({ carrier: 'native', reactors: 1, ...options })
  let uid: StreamUid | undefined
  const large = Buffer.alloc(kLarge, 'x')
  manager.on('stream', (stream, headers) => {
    const path = headers[':path']
    if (path === '/events') {
      uid ??= manager.sse(stream).detach().uid
      return
    }
    stream.respond({ ':status': 200 })
    if (path === '/large') stream.end(large)
    else if (path === '/echo') pipeline(stream.toDuplex(), stream.toDuplex(), () => {})
    else stream.end('answered')
  })
  const { port } = await manager.listen({ port: 0, host: '127.0.0.1' })
  const honest = connect(`http://127.0.0.1:${port}`)
  await once(honest, 'connect')
  const events = await get(honest, '/events')
  let sent = 0
  const honestIsServed = async () => {
    const { status, text } = await ask(honest, '/')
    expect([status, text]).toEqual([200, 'answered'])
    sent++
    // The mailbox of the reactor may be full of answers for the others, for a moment.
    await until('it is taken', () => manager.send(uid!, `event ${sent}`) === 'queued')
    await until('the event', () => events.text().endsWith(`data: event ${sent}\n\n`))
  }
  await honestIsServed()
  const before = openSockets()
  return {
    manager,
    port,
    async abuse(doIt) {
      let done = false
      const doing = doIt().finally(() => (done = true))
      doing.catch(() => {})
      // One request at least comes in amid it.
      do await honestIsServed()
      while (!done)
      return doing
    },
    async nothingLeft() {
      await until('the descriptors are back', () => openSockets() === before)
      expect(closeWait(port)).toBe(0)
      await until('sessions and streams are gone', () => {
        const { activeSockets, activeStreams, queuedBytes } = manager.stats()
        return activeSockets === 1 && activeStreams === 1 && queuedBytes === 0
      })
      await honestIsServed()
    },
    async close() {
      honest.destroy()
      await manager.close()
    },
  }
}
