import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

/** Frame types and flags, RFC 9113, section 6. */
export const frame = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7 } as const
export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const

export function encodeFrame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** A literal header field without indexing, names and values under 127 bytes (RFC 7541, 6.2.2). */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
}

export function headerBlock(method: string, path: string): Buffer {
  return Buffer.concat([
    literal(':method', method),
    literal(':scheme', 'http'),
    literal(':authority', '127.0.0.1'),
    literal(':path', path),
  ])
}

/** A client that writes frames by hand, so that it can write wrong ones. */
export class RawClient {
  readonly socket: Socket
  readonly frames: { type: number; flags: number; stream: number; body: Buffer }[] = []
  #rest = Buffer.alloc(0)

  /** Takes a connected socket and begins the session on it. */
  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#parse(bytes))
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    this.send(frame.settings, 0, 0, Buffer.alloc(0))
  }

  static async connect(port: number, allowHalfOpen = true): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(type: number, flags: number, stream: number, body: Buffer): void {
    this.socket.write(encodeFrame(type, flags, stream, body))
  }

  get(stream: number, path: string): void {
    const flags = flag.endHeaders | flag.endStream
    this.send(frame.headers, flags, stream, headerBlock('GET', path))
  }

  post(stream: number, path: string): void {
    this.send(frame.headers, flag.endHeaders, stream, headerBlock('POST', path))
  }

  received(type: number, stream?: number): Buffer[] {
    return this.frames
      .filter((one) => one.type === type && (stream === undefined || one.stream === stream))
      .map((one) => one.body)
  }

  #parse(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      this.frames.push({
        type: this.#rest[3]!,
        flags: this.#rest[4]!,
        stream: this.#rest.readUInt32BE(5),
        body: this.#rest.subarray(9, 9 + length),
      })
      this.#rest = this.#rest.subarray(9 + length)
    }
  }
}
