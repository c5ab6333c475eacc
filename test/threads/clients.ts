import http2, { type ClientHttp2Session } from 'node:http2'

/** A connection with one event stream. */
export interface Client {
  readonly session: ClientHttp2Session
  /** The number of the thread that serves it, which is the first event; -1 if it was closed instead. */
  readonly worker: Promise<number>
  text: string
  closed: boolean
}

export function connect(port: number): Client {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const client: Client = { session, worker: Promise.resolve(-1), text: '', closed: false }
  session.on('error', () => {})
  session.on('close', () => (client.closed = true))
  const request = session.request({ ':path': '/' })
  request.on('error', () => {})
  Object.assign(client, {
    worker: new Promise<number>((resolve) => {
      session.on('close', () => resolve(-1))
      request.setEncoding('utf8').on('data', (text: string) => {
        client.text += text
        const first = /data: (\d+)\n\n/.exec(client.text)
        if (first) resolve(Number(first[1]))
      })
    }),
  })
  return client
}

export async function disconnect(clients: readonly Client[]): Promise<void> {
  await Promise.all(
    clients.map(
      ({ session }) =>
        new Promise<void>((resolve) => {
          if (session.destroyed) return resolve()
          session.once('close', () => resolve())
          session.destroy()
        }),
    ),
  )
}
