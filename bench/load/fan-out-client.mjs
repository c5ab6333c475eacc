// The clients of fan-out.mjs, for one server.
import { CountingSession } from '../lib/counting-session.mjs'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'

let sessions = []
const sum = (name) => sessions.reduce((all, session) => all + session[name], 0)

answerParent({
  async open({ port, sessions: count, streamsEach, mixed, tls }) {
    sessions = []
    const ask = async (session, streams) => {
      const all = session.answered + streams
      session.ask(streams)
      await until('the answers', () => session.answered === all || session.faults > 0)
    }
    for (let i = 0; i < count; i++) {
      const session = new CountingSession(port, streamsEach, { tls, asks: false })
      sessions.push(session)
      await ask(session, mixed ? 1 : streamsEach)
    }
    for (let i = 1; mixed && i < streamsEach; i++) {
      for (const session of sessions) await ask(session, 1)
    }
    return { answered: sum('answered') }
  },
  /** Waits for the events, or until no more come. */
  async received({ events }) {
    const deadline = performance.now() + 60_000
    while (sum('events') < events && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return { events: sum('events'), frames: sum('frames'), faults: sum('faults') }
  },
  complete({ number }) {
    return { streams: sessions.reduce((all, session) => all + session.complete(number), 0) }
  },
})
