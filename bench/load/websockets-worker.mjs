// One holding thread of websockets.mjs.
import http2 from 'node:http2'
import { parentPort, workerData } from 'node:worker_threads'
import { StreamManager, formatUid } from 'holdfast'
import { answerThread } from '../lib/peer.mjs'

const manager = StreamManager.open()
const server = http2.createServer({
  maxSessionMemory: 64,
  settings: { enableConnectProtocol: true, maxConcurrentStreams: workerData.socketsEach + 1 },
})
const uids = []
const codes = {}
let said = 0
let strayed = 0
server.on('stream', (stream, headers) => {
  const socket = manager.websocket(stream, headers)
  const uid = formatUid(socket.uid)
  uids.push(socket.uid)
  socket.subscribe('all')
  socket.on('message', (text) => {
    if (text === uid) said++
    else strayed++
  })
  socket.on('close', ({ code }) => (codes[code] = (codes[code] ?? 0) + 1))
  socket.send(uid)
})
manager.accept(server)

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
/** One action a uid, some a turn. */
async function each(list, action) {
  const outcomes = {}
  for (const [index, uid] of list.entries()) {
    const outcome = action(uid)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    if (index % 1000 === 999) await nextTurn()
  }
  return outcomes
}

answerThread(parentPort, {
  uids: () => ({ uids }),
  send: ({ uids: all }) =>
    each(all, (uid) => manager.send(uid, `${formatUid(uid)} ${manager.worker}`)),
  publish: () => ({ addressed: manager.publish('all', `all ${manager.worker}`) }),
  close: ({ uids: some, code }) => each(some, (uid) => manager.close(uid, { code })),
  counts: () => ({ said, strayed, codes }),
})
