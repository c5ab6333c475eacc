// A WebSocket client on one stream of a node:http2 session (RFC 8441): the framing is that of `ws`.
import { once } from 'node:events'
import { Receiver, Sender } from 'ws'

const kText = 1
const kClose = 8

/** Resolves when the server has said that it takes extended CONNECT. */
export async function readyForWebSockets(session) {
  while (!session.remoteSettings?.enableConnectProtocol) await once(session, 'remoteSettings')
}

export class WebSocketClient {
  /** The server's Close frame; until then undefined. */
  closeCode
  /** What no well-behaved server does. */
  faults = 0
  #stream
  #receiver = new Receiver({ isServer: false })

  constructor(session, onMessage) {
    this.#stream = session.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', 'sec-websocket-version': 13 },
      { endStream: false },
    )
    this.#stream.on('error', () => this.faults++)
    this.#stream.on('data', (bytes) => this.#receiver.write(bytes))
    this.#receiver
      .on('message', (data) => onMessage(data.toString(), this))
      .on('conclude', (code) => this.#conclude(code))
      .on('error', () => this.faults++)
  }

  send(text) {
    this.#frame(kText, Buffer.from(text))
  }

  #conclude(code) {
    this.closeCode = code
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    this.#frame(kClose, payload)
    this.#stream.end()
  }

  #frame(opcode, payload) {
    const options = { opcode, fin: true, mask: true, readOnly: true, rsv1: false }
    this.#stream.write(Buffer.concat(Sender.frame(payload, options)))
  }
}
