// The clients of memory.mjs: HTTP/2 by hand (RFC 9113), as a hundred thousand client streams of node's
// would cost more than those that are measured. They ask, acknowledge, and throw away what comes.
import { connect } from 'node:net'

const kHeaders = 1
const kSettings = 4
const kEndStreamAndHeaders = 0x5

function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

// Indexed fields of HPACK's static table (RFC 7541, appendix A): GET, http, /; and an authority.
const authority = Buffer.from('localhost')
const fields = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, authority.length]), authority])

process.on('message', ({ port, sockets, streamsEach }) => {
  const parts = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(kSettings, 0, 0)]
  parts.push(frame(kSettings, 1, 0))
  for (let i = 0; i < streamsEach; i++) {
    parts.push(frame(kHeaders, kEndStreamAndHeaders, 2 * i + 1, fields))
  }
  const bytes = Buffer.concat(parts)
  let open = 0
  const next = () => {
    if (open++ === sockets) return
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes)
      next()
    })
    socket.resume()
  }
  next()
})
process.on('disconnect', () => process.exit())
process.send({ type: 'ready' })
