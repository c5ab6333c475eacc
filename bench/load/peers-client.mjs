// The clients of peers.mjs and echo.mjs: they count events, tell when each of the streams has one more, and
// send messages that are to come back.
import { CountingConnection } from '../lib/counting-connection.mjs'
import { CountingSession } from '../lib/counting-session.mjs'
import { Echoes } from '../lib/echoes.mjs'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'
import { WebSocketSession } from '../lib/websocket-session.mjs'

const all = []
const sum = (name) => all.reduce((total, one) => total + one[name], 0)
let echoes

function start(port, carrier, streamsEach) {
  if (carrier === 'h2') return new CountingSession(port, streamsEach, { marked: true })
  if (carrier === 'ws-h2') return new WebSocketSession(port, streamsEach)
  return new CountingConnection(port, carrier)
}

answerParent({
  async open({ port, carrier, sessions, streamsEach }) {
    for (let i = 0; i < sessions; i++) {
      const one = start(port, carrier, streamsEach)
      all.push(one)
      await until('an answer', () => one.answered === streamsEach || one.faults > 0)
    }
    const streams = sessions * streamsEach
    let told = 0
    setInterval(() => {
      const rounds = Math.floor(sum('events') / streams)
      if (rounds === told) return
      told = rounds
      process.send({ type: 'progress', rounds })
    }, 1)
    return { answered: sum('answered') }
  },
  async echo({ each, inFlight }) {
    echoes ??= new Echoes(all.flatMap(({ lanes }) => lanes))
    await echoes.run(each, inFlight)
    return {}
  },
  bytes: () => ({ bytes: sum('bytes') }),
  counts: () => ({ events: sum('events'), faults: sum('faults') }),
})
