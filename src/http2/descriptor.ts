/**
 * The only place that knows where Node keeps a socket's file descriptor; it is undocumented. Where
 * it is not found, sessions are watched by PING alone.
 */
export function descriptorOf(socket: object | undefined): number | undefined {
  const handle = (socket as { _handle?: { fd?: unknown } | null } | undefined)?._handle
  const fd = handle?.fd
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}
