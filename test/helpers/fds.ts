import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Open descriptors of this process that are sockets. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}

/** Sockets of the port that wait for us to close them. */
export function closeWait(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => line.split(/\s+/)[2]?.endsWith(`:${hex}`) && / 08 /.test(line)).length
}
