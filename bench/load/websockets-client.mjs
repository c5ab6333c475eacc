// The clients of websockets.mjs: every WebSocket learns its uid from its first message, says it back, and
// checks that each message to it alone names it.
import http2 from 'node:http2'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'
import { readyForWebSockets, WebSocketClient } from '../lib/websocket-client.mjs'

const sessions = []
const sockets = []
let messages = 0
let strayed = 0

function open(session) {
  const state = { uid: undefined, own: new Set(), all: new Set() }
  state.client = new WebSocketClient(session, (text, client) => {
    messages++
    if (state.uid === undefined) {
      state.uid = text
      client.send(text)
      return
    }
    const [to, sender] = text.split(' ')
    const senders = to === 'all' ? state.all : state.own
    if ((to !== 'all' && to !== state.uid) || senders.has(sender)) strayed++
    senders.add(sender)
  })
  sockets.push(state)
  return state
}

answerParent({
  async open({ port, connections, socketsEach }) {
    for (let i = 0; i < connections; i++) {
      const session = http2.connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 64 })
      sessions.push(session)
      await readyForWebSockets(session)
      const opened = Array.from({ length: socketsEach }, () => open(session))
      await until('a session full', () => opened.every(({ uid }) => uid))
    }
    return {}
  },
  counts: () => ({ messages, strayed }),
  /** How many have heard from each of so many senders, and how they were told to close. */
  outcome({ senders }) {
    const heard = (name) => sockets.filter((socket) => socket[name].size === senders).length
    const codes = {}
    for (const { closeCode } of sockets.map(({ client }) => client)) {
      codes[closeCode] = (codes[closeCode] ?? 0) + 1
    }
    const faults = sockets.reduce((sum, { client }) => sum + client.faults, 0)
    return { own: heard('own'), all: heard('all'), codes, faults }
  },
})
