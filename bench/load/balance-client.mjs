// The clients of balance.mjs: connections that stay, and on demand one request on each.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

let sockets = []

async function request(socket) {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let text = ''
  for await (const [chunk] of fromEvents(socket)) {
    text += chunk
    if (text.includes('here')) return /^HTTP\/1\.1 200 /.test(text)
  }
  return false
}
async function* fromEvents(socket) {
  while (!socket.destroyed) yield await once(socket, 'data')
}

const actions = {
  async connect({ port, connections, gapMs }) {
    const connected = []
    for (let i = 0; i < connections; i++) {
      const socket = connect({ port, host: '127.0.0.1' })
      sockets.push(socket.setEncoding('latin1'))
      connected.push(once(socket, 'connect'))
      if (gapMs > 0) await sleep(gapMs)
    }
    await Promise.all(connected)
    return {}
  },
  async request() {
    const answers = await Promise.all(sockets.map(request))
    return { answered: answers.filter(Boolean).length }
  },
  close() {
    for (const socket of sockets) socket.destroy()
    sockets = []
    return {}
  },
}
process.on('message', async (message) => {
  process.send({ type: message.type, ...(await actions[message.type](message)) })
})
process.send({ type: 'ready' })
