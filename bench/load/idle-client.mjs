// The clients of idle.mjs.
import { CountingSession } from '../lib/counting-session.mjs'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'

/** How many ask at the same time. */
const kAtOnce = 50
let sessions = []

answerParent({
  async open({ port, sessions: count, streamsEach, tls }) {
    const open = []
    for (let i = 0; i < count; i++) {
      open.push(new CountingSession(port, streamsEach, { tls }))
      const early = open[open.length - kAtOnce]
      if (early) await until('an answer', () => early.answered === streamsEach || early.faults > 0)
    }
    sessions.push(...open)
    const sum = (name) => open.reduce((all, session) => all + session[name], 0)
    await until(
      'the last answers',
      () => sum('answered') === count * streamsEach || sum('faults') > 0,
    )
    return { answered: sum('answered') }
  },
  close() {
    for (const session of sessions) session.close()
    sessions = []
    return {}
  },
})
