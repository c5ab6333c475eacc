// The clients of streams.mjs: every stream knows its uid from its first event, and checks that each
// message it gets names it.
import http2 from 'node:http2'
import { createParser } from 'eventsource-parser'

const sessions = []
let received = 0
let strayed = 0
const perStream = []

function openStream(session) {
  return new Promise((resolve, reject) => {
    const state = { uid: undefined, senders: new Set(), messages: 0 }
    perStream.push(state)
    const parser = createParser({
      onEvent({ event, data }) {
        received++
        if (event === 'uid') {
          state.uid = data
          resolve()
          return
        }
        const [uid, sender] = data.split(' ')
        if (uid !== state.uid || state.senders.has(sender)) strayed++
        state.senders.add(sender)
        state.messages++
      },
    })
    const stream = session.request({ ':path': '/events' }, { endStream: true })
    stream.setEncoding('utf8').on('data', (text) => parser.feed(text))
    stream.on('error', reject)
  })
}

const actions = {
  async open({ port, connections, streamsEach }) {
    for (let i = 0; i < connections; i++) {
      const session = http2.connect(`http://127.0.0.1:${port}`, {
        maxSessionMemory: 64,
        peerMaxConcurrentStreams: streamsEach + 1,
      })
      sessions.push(session)
      await new Promise((resolve, reject) => {
        session.once('remoteSettings', resolve).once('error', reject)
      })
      await Promise.all(Array.from({ length: streamsEach }, () => openStream(session)))
    }
    return {}
  },
  count({ senders }) {
    const isComplete = (state) => state.messages === senders && state.senders.size === senders
    const complete = perStream.filter(isComplete).length
    return { received, strayed, complete }
  },
  close() {
    for (const session of sessions) session.destroy()
    return {}
  },
}
process.on('message', async (message) => {
  process.send({ type: message.type, ...(await actions[message.type](message)) })
})
process.send({ type: 'ready' })
