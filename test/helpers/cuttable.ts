import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'

/** A way to a server of this machine that can be cut and mended. */
export interface CuttableWay {
  readonly port: number
  /** Ends what goes through it, and lets nothing in until `mend`. */
  cut(): void
  mend(): void
  close(): void
}

export async function cuttableWay(toPort: number): Promise<CuttableWay> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = net.createServer((client) => {
    if (isCut) {
      client.destroy()
      return
    }
    const onward = net.connect(toPort, '127.0.0.1')
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend: () => (isCut = false),
    close: () => {
      cut()
      server.close()
    },
  }
}
