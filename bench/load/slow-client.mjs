// Clients of the slow trial: some read at once and measure how old each event is, some read nothing
// until they are told to. `process.hrtime` is one clock for all processes of a machine.
import http2 from 'node:http2'

const unread = []
let ages = []
let received = 0
let closed = 0

function connect(port, path, onText, reads) {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  const stream = session.request({ ':path': path })
  stream.on('error', () => {})
  stream.on('close', () => closed++)
  let rest = ''
  const read = () => {
    stream.setEncoding('latin1').on('data', (text) => {
      const events = (rest + text).split('\n\n')
      rest = events.pop()
      for (const event of events) onText(event)
    })
  }
  if (reads) read()
  else unread.push(read)
  return new Promise((resolve) => stream.on('response', resolve))
}

async function open({ port, quick, slow, reads }) {
  for (let i = 0; i < quick; i++) {
    const onStamp = (event) => {
      ages.push(Number(process.hrtime.bigint() - BigInt(event.slice('data: '.length))) / 1e6)
    }
    await connect(port, '/quick', onStamp, true)
  }
  for (let i = 0; i < slow; i++) await connect(port, '/slow', () => received++, reads)
}

process.on('message', async (request) => {
  const { type } = request
  if (type === 'open') await open(request)
  if (type === 'begin') ages = []
  if (type === 'read') for (const read of unread.splice(0)) read()
  const sorted = ages.toSorted((a, b) => a - b)
  process.send({
    type,
    received,
    closed,
    events: sorted.length,
    p50: sorted[Math.floor(sorted.length / 2)] ?? 0,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  })
})
process.send({ type: 'ready' })
