import { arena, arenaWords } from '../memory.js'
import type { HeldStream } from '../held-stream.js'
import type { Fields } from '../request/fields.js'
import { noCertificate } from '../request/client-identity.js'
import { Pieces } from '../request/pieces.js'
import type { RequestTaker } from '../request/request-taker.js'
import { closeReasons } from '../stream-info.js'
import { ClientTable } from './client-table.js'
import { readFields } from './fields.js'
import { ReactorClient } from './reactor-client.js'
import type { ReactorHolding } from './reactor-holding.js'
import { ReactorRequest } from './reactor-request.js'
import type { ReactorRequests } from './reactor-requests.js'
import type { RequestTable } from './request-table.js'
import { http2Code } from '../http2-codes.js'

/**
 * In the order of native/core/message.h. Each has reactor, slot and generation of the request, where
 * its bytes begin, how many there are, and two numbers: native/core/request_mail.h.
 */
const op = {
  request: 11,
  body: 12,
  bodyEnd: 13,
  taken: 14,
  closed: 15,
  closeAsked: 16,
  slow: 17,
  gap: 18,
  socketClosed: 19,
} as const

/** Flags of a request. */
const kEnded = 1
const kCertified = 2
const kUncertified = 4
/** Before the fields of a request: its session, by place and generation. */
const kSessionBytes = 8
/** And before a certificate: what was found of it. */
const kVerdictBytes = 4

export interface ReactorEvents {
  slow(held: HeldStream): void
  /** Whether a mark was sent, with which the gap is over. */
  gap(held: HeldStream): boolean
}

/** Carries out the records that reactors send to this thread; beside it src/inbox.ts. */
export class ReactorInbox {
  readonly #table: RequestTable
  readonly #requests: ReactorRequests
  readonly #holding: ReactorHolding
  readonly #taker: RequestTaker
  readonly #events: ReactorEvents
  readonly #clients = new ClientTable()

  constructor(
    table: RequestTable,
    requests: ReactorRequests,
    holding: ReactorHolding,
    taker: RequestTaker,
    events: ReactorEvents,
  ) {
    this.#table = table
    this.#requests = requests
    this.#holding = holding
    this.#taker = taker
    this.#events = events
  }

  /** The record that begins at that word; `large`: its payload, where the arena could not take it. */
  handle(at: number, large: Buffer | undefined): void {
    const kind = arenaWords[at]!
    const reactor = arenaWords[at + 1]!
    const slot = arenaWords[at + 2]!
    const generation = arenaWords[at + 3]!
    if (kind === op.request) return this.#begin(at, large)
    if (kind === op.socketClosed) {
      const socket = arenaWords[at + 6]!
      this.#clients.remove(reactor, socket)
      return this.#holding.socketClosed(reactor, socket, arenaWords[at + 7]!)
    }
    const request = this.#table.get(reactor, slot, generation)
    if (!request) return
    const held = request.held
    switch (kind) {
      case op.body:
        return this.#body(request, payload(at, large))
      case op.bodyEnd:
        return this.#bodyEnd(request, at, large)
      case op.taken:
        return request.taken(arenaWords[at + 6]!)
      case op.closed:
        return this.#closed(request, at)
      case op.closeAsked: {
        const reason = closeReasons[arenaWords[at + 7]!]!
        return this.#holding.closeAsked(request, arenaWords[at + 6]!, reason, text(at))
      }
      case op.slow:
        if (!held) return
        held.slow = arenaWords[at + 6] === 1
        return this.#events.slow(held)
      case op.gap:
        if (!held || !this.#events.gap(held)) this.#requests.gapOver(request)
    }
  }

  #begin(at: number, large: Buffer | undefined): void {
    const offset = large ? 0 : arenaWords[at + 4]!
    const memory = large ?? arena
    const flags = arenaWords[at + 6]!
    const certificateBytes = arenaWords[at + 7]!
    const begin =
      offset + kSessionBytes + (certificateBytes > 0 ? kVerdictBytes + certificateBytes : 0)
    const headers = readFields(memory, begin, offset + arenaWords[at + 5]!)
    const request = new ReactorRequest(
      arenaWords[at + 1]!,
      arenaWords[at + 2]!,
      arenaWords[at + 3]!,
      memory.readUInt32LE(offset),
      memory.readUInt32LE(offset + 4),
      headers[':method'] === 'HEAD',
      (flags & kEnded) === 0,
    )
    if (certificateBytes > 0) this.#meet(request, memory.subarray(offset + kSessionBytes, begin))
    if (flags & kCertified) this.#identify(request)
    else if (flags & kUncertified) request.client = noCertificate
    this.#table.put(request)
    if (this.#taker.wanted()) this.#taker.take(this.#requests, request, headers)
    else this.#requests.reset(request, http2Code.refusedStream)
  }

  /** The first request of a session has brought the client's certificate. */
  #meet({ reactor, socket, socketGeneration }: ReactorRequest, shown: Buffer): void {
    const certificate = Buffer.from(shown.subarray(kVerdictBytes))
    const client = new ReactorClient(shown.readUInt32LE(0), certificate)
    this.#clients.put(reactor, socket, socketGeneration, client)
  }

  #identify(request: ReactorRequest): void {
    const { reactor, socket, socketGeneration } = request
    const client = this.#clients.get(reactor, socket, socketGeneration)
    if (client) request.client = client
  }

  #body(request: ReactorRequest, bytes: Buffer): void {
    if (request.discarded) return
    if (request.reading) request.sink?.data(bytes)
    else (request.early ??= new Pieces()).push(bytes)
  }

  #bodyEnd(request: ReactorRequest, at: number, large: Buffer | undefined): void {
    const offset = large ? 0 : arenaWords[at + 4]!
    const fields = readFields(large ?? arena, offset, offset + arenaWords[at + 5]!)
    request.trailers = { ...fields } as Fields
    if (request.reading && !request.discarded) request.sink?.ended(request.trailers)
  }

  #closed(request: ReactorRequest, at: number): void {
    const end = arenaWords[at + 6]!
    const code = arenaWords[at + 7]!
    this.#table.remove(request)
    request.reason = closeReasons[end >> 1]!
    request.over = { complete: (end & 1) === 1, code }
    request.takenAll()
    this.#holding.ended(request, request.reason, code, text(at))
    request.sink?.closed(request.over)
  }
}

/** The arena is overwritten by the next batch; what a reader is given outlives this one. */
function payload(at: number, large: Buffer | undefined): Buffer {
  if (large) return large
  const offset = arenaWords[at + 4]!
  return Buffer.from(arena.subarray(offset, offset + arenaWords[at + 5]!))
}

function text(at: number): string {
  const offset = arenaWords[at + 4]!
  return arena.toString('utf8', offset, offset + arenaWords[at + 5]!)
}
