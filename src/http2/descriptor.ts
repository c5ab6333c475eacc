import { createServer } from 'node:net'

/**
 * The only place that knows where Node keeps a socket's file descriptor; it is undocumented. Where
 * it is not found, sessions are watched by PING alone.
 */
export function descriptorOf(socket: object | undefined): number | undefined {
  const handle = (socket as { _handle?: { fd?: unknown } | null } | undefined)?._handle
  const fd = handle?.fd
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

/** Whether this Node keeps it there: asked once, of a listening socket of our own. */
export function descriptorsAreKnown(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, '127.0.0.1', () => {
      const known = descriptorOf(server) !== undefined
      server.close(() => resolve(known))
    })
  })
}
