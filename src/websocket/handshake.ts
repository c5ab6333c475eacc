import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { HoldfastError } from '../errors.js'
import type { CheckedWebSocketOptions } from './options.js'
import {
  extension,
  kDeflateExtension,
  PerMessageDeflate,
  subprotocol,
  type DeflateSettings,
  type ExtensionOffer,
} from './ws-parts.js'

/** What a client asked for, by HTTP/1.1 Upgrade or by extended CONNECT. */
export interface HandshakeRequest {
  readonly method: string | undefined
  /** The protocol it wants to switch to, or to tunnel. */
  readonly protocol: string | undefined
  /** Upgrade: the key must be there, and its hash is the proof that it was understood. */
  readonly upgrade: boolean
  readonly headers: IncomingHttpHeaders
}

export interface Agreement {
  /** The chosen subprotocol, or empty. */
  readonly protocol: string
  readonly deflate: PerMessageDeflate | undefined
  /** The negotiated extensions as the response names them, or empty. */
  readonly extensions: string
  readonly responseHeaders: Readonly<Record<string, string>>
}

export interface Refusal {
  readonly status: number
  readonly responseHeaders: Readonly<Record<string, string>>
}

const kVersion = '13'
const kKey = /^[+/0-9A-Za-z]{22}==$/
const kGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * The server's part of the opening handshake (RFC 6455, section 4.2; RFC 8441, section 5).
 * @throws ERR_HOLDFAST_INVALID_OPTION if `selectProtocol` chose what was not offered
 */
export function agree(
  request: HandshakeRequest,
  options: CheckedWebSocketOptions,
): Agreement | Refusal {
  const { headers, upgrade } = request
  if (request.method !== (upgrade ? 'GET' : 'CONNECT')) return refuse(400)
  // HAProxy forwards `WebSocket` with capitals.
  if (request.protocol?.toLowerCase() !== 'websocket') return refuse(upgrade ? 400 : 501)
  const key = headers['sec-websocket-key']
  if (upgrade && (key === undefined || !kKey.test(key))) return refuse(400)
  if (headers['sec-websocket-version'] !== kVersion) {
    return refuse(upgrade ? 426 : 400, { 'sec-websocket-version': kVersion })
  }
  const responseHeaders: Record<string, string> = {}
  // Over HTTP/2 it has no meaning, but there are clients that want it where they sent a key.
  if (key !== undefined && kKey.test(key)) {
    responseHeaders['sec-websocket-accept'] = createHash('sha1')
      .update(key + kGuid)
      .digest('base64')
  }
  let offered: string[]
  let offers: ExtensionOffer[]
  try {
    const protocols = headers['sec-websocket-protocol']
    offered = protocols === undefined ? [] : [...subprotocol.parse(protocols)]
    offers = options.deflate ? deflateOffers(headers['sec-websocket-extensions']) : []
  } catch {
    return refuse(400)
  }
  const protocol = chooseProtocol(offered, options)
  const deflate = acceptDeflate(offers, options)
  if (protocol !== '') responseHeaders['sec-websocket-protocol'] = protocol
  const extensions = deflate ? extension.format({ [kDeflateExtension]: deflate.params ?? {} }) : ''
  if (extensions !== '') responseHeaders['sec-websocket-extensions'] = extensions
  return { protocol, deflate, extensions, responseHeaders }
}

function refuse(status: number, responseHeaders: Record<string, string> = {}): Refusal {
  return { status, responseHeaders }
}

function chooseProtocol(offered: readonly string[], options: CheckedWebSocketOptions): string {
  if (offered.length === 0) return ''
  const chosen = options.selectProtocol(offered)
  if (chosen !== undefined && !offered.includes(chosen)) {
    throw new HoldfastError(
      'ERR_HOLDFAST_INVALID_OPTION',
      'selectProtocol chose a subprotocol that the client did not offer',
    )
  }
  return chosen ?? ''
}

/** @throws SyntaxError */
function deflateOffers(header: string | undefined): ExtensionOffer[] {
  return header === undefined ? [] : (extension.parse(header)[kDeflateExtension] ?? [])
}

/** The first offer that is valid and suits; else the WebSocket goes on without. */
function acceptDeflate(
  offers: readonly ExtensionOffer[],
  { deflate: options, maxMessageBytes }: CheckedWebSocketOptions,
): PerMessageDeflate | undefined {
  const { level, memLevel, ...settings } = options ?? {}
  for (const offer of offers) {
    // zlib compresses with no window that small, whatever it was told.
    if (offer['server_max_window_bits']?.[0] === '8') continue
    const deflate = new PerMessageDeflate({
      ...(settings as Partial<DeflateSettings>),
      isServer: true,
      maxPayload: maxMessageBytes,
      zlibDeflateOptions: {
        ...(level === undefined ? {} : { level }),
        ...(memLevel === undefined ? {} : { memLevel }),
      },
    })
    try {
      deflate.accept([offer])
      return deflate
    } catch {
      // Its parameters are invalid, or not ours; RFC 7692, section 5.1, has it declined.
    }
  }
  return undefined
}
