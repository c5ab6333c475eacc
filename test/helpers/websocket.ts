import type http2 from 'node:http2'
import { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { EventEmitter, once } from 'node:events'
import { extension, PerMessageDeflate, Receiver, Sender } from '../../dist/websocket/ws-parts.js'
import { until } from './wait.js'

export interface FrameOptions {
  opcode?: number
  fin?: boolean
  mask?: boolean
  rsv1?: boolean
}

/** The bytes of one frame as a client sends it. */
export function clientFrame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const {
    opcode = typeof payload === 'string' ? 1 : 2,
    fin = true,
    mask = true,
    rsv1 = false,
  } = options
  return Buffer.concat(Sender.frame(Buffer.from(payload), { opcode, fin, mask, rsv1 }))
}

export interface Http2WebSocketOptions {
  path?: string
  protocol?: string
  headers?: http2.OutgoingHttpHeaders
  deflate?: boolean
}

/**
 * A WebSocket client on one stream of an HTTP/2 session (RFC 8441): node:http2 beneath, the framing of
 * `ws` above. Emits `message` (Buffer, isBinary), `ping` and `pong`.
 */
export class Http2WebSocket extends EventEmitter {
  readonly stream: ClientHttp2Stream
  readonly messages: (string | Buffer)[] = []
  readonly pongs: string[] = []
  /** The server's Close frame, and whether it ended its side. */
  closeCode: number | undefined
  closeReason = ''
  isEnded = false
  isClosed = false
  headers: http2.IncomingHttpHeaders = {}
  #sender!: InstanceType<typeof Sender>
  #receiver!: InstanceType<typeof Receiver>
  #isDeflated = false

  private constructor(stream: ClientHttp2Stream) {
    super()
    this.stream = stream
  }

  static async open(
    session: ClientHttp2Session,
    options: Http2WebSocketOptions = {},
  ): Promise<Http2WebSocket> {
    const { path = '/', protocol = 'websocket', headers = {}, deflate = false } = options
    if (session.connecting || session.remoteSettings.enableConnectProtocol === undefined) {
      await once(session, 'remoteSettings')
    }
    const offer = new PerMessageDeflate({ isServer: false, maxPayload: 0 })
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': protocol,
        ':path': path,
        ':scheme': 'http',
        ':authority': 'localhost',
        'sec-websocket-version': '13',
        ...(deflate
          ? { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' }
          : {}),
        ...headers,
      },
      { endStream: false },
    )
    const client = new Http2WebSocket(stream)
    stream.on('error', () => {})
    stream.on('close', () => (client.isClosed = true))
    const [response] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    client.headers = response
    client.#start(offer)
    return client
  }

  #start(deflate: InstanceType<typeof PerMessageDeflate>): void {
    const answer = this.headers['sec-websocket-extensions']
    const extensions: Record<string, InstanceType<typeof PerMessageDeflate>> = {}
    if (answer !== undefined) {
      deflate.accept(extension.parse(answer)['permessage-deflate']!)
      extensions['permessage-deflate'] = deflate
      this.#isDeflated = true
    }
    this.#sender = new Sender(this.stream, extensions)
    this.#receiver = new Receiver({
      isServer: false,
      extensions,
      maxPayload: 0,
      maxFragments: 0,
      maxBufferedChunks: 0,
    })
    this.#receiver
      .on('message', (data: Buffer, isBinary: boolean) => {
        this.messages.push(isBinary ? data : data.toString())
        this.emit('message', data, isBinary)
      })
      .on('ping', (data: Buffer) => this.emit('ping', data))
      .on('pong', (data: Buffer) => this.pongs.push(data.toString()))
      .on('conclude', (code: number, reason: Buffer) => {
        this.closeCode = code
        this.closeReason = reason.toString()
      })
      .on('error', (error) => this.emit('error', error))
    // What came before the end may still be on its way through zlib.
    const receiver = this.#receiver
    const end = () => (this.isEnded = true)
    this.stream.on('end', () => {
      if (receiver.writableFinished || receiver.errored) end()
      else receiver.once('finish', end).once('error', end).end()
    })
    this.stream.on('data', (chunk: Buffer) => {
      if (this.closeCode === undefined) this.#receiver.write(chunk)
    })
  }

  get status(): number {
    return Number(this.headers[':status'])
  }

  send(data: string | Buffer): void {
    const binary = typeof data !== 'string'
    this.#sender.send(Buffer.from(data), {
      binary,
      compress: this.#isDeflated,
      fin: true,
      mask: true,
    })
  }

  /** What no proper client would send. */
  sendRaw(bytes: Buffer): void {
    this.stream.write(bytes)
  }

  /** The closing handshake of a client that waits for the server's answer. */
  async close(code?: number, reason = ''): Promise<void> {
    this.#sender.close(code, reason, true)
    await until('the server closed', () => this.closeCode !== undefined)
    this.stream.end()
    await until('the stream closed', () => this.isClosed)
  }

  async next(count: number): Promise<(string | Buffer)[]> {
    await until(`${count} messages`, () => this.messages.length >= count)
    return this.messages
  }
}
