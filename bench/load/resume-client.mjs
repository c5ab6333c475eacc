// The clients of resume.mjs. Each minds the numbers of what it gets, over all its connections.
import { setTimeout as sleep } from 'node:timers/promises'
import { ReturningClient } from '../../test/helpers/returning-client.mjs'
import { answerParent } from '../lib/peer.mjs'
import { until } from '../lib/wait.mjs'

const kDeadlineMs = 120_000
let clients = []
let staying = false
let coming

/** Of one that is away; in the end it is there. */
async function comeAndGo(client) {
  for (;;) {
    await sleep(Math.random() * 20)
    await client.comeBack()
    if (staying) return
    await sleep(5 + Math.random() * 100)
    await client.leave()
  }
}

const sum = (name) => clients.reduce((all, client) => all + client[name], 0)

answerParent({
  async connect({ port, clients: count }) {
    clients = Array.from({ length: count }, () => new ReturningClient(port))
    await Promise.all(clients.map((client) => client.connect()))
  },
  async leave() {
    await Promise.all(clients.map((client) => client.leave()))
  },
  comeAndGo() {
    coming = Promise.all(clients.map(comeAndGo))
  },
  async stay() {
    staying = true
    await coming
  },
  async seen({ text }) {
    const complete = () => clients.filter(({ data }) => data === text).length
    await until(`the ${text} event`, () => complete() === clients.length, kDeadlineMs)
    return {
      received: sum('received'),
      twice: sum('twice'),
      missed: sum('missed'),
      gaps: sum('gaps'),
      idleGaps: sum('idleGaps'),
      returns: sum('returns'),
      complete: complete(),
      threads: new Set(clients.flatMap((client) => [...client.threads])).size,
    }
  },
})
