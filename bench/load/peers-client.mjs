// The clients of peers.mjs: they count events, and tell when each of the streams has one more.
import { CountingConnection } from '../lib/counting-connection.mjs'
import { CountingSession } from '../lib/counting-session.mjs'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'

const all = []
const sum = (name) => all.reduce((total, one) => total + one[name], 0)

answerParent({
  async open({ port, carrier, sessions, streamsEach }) {
    for (let i = 0; i < sessions; i++) {
      const one =
        carrier === 'h2'
          ? new CountingSession(port, streamsEach, true)
          : new CountingConnection(port, carrier)
      all.push(one)
      await until('an answer', () => one.answered === streamsEach || one.faults > 0)
    }
    let told = 0
    const streams = sessions * streamsEach
    setInterval(() => {
      const rounds = Math.floor(sum('events') / streams)
      if (rounds === told) return
      told = rounds
      process.send({ type: 'progress', rounds })
    }, 1)
    return { answered: sum('answered') }
  },
  counts: () => ({ events: sum('events'), faults: sum('faults') }),
})
