// One server of requests.mjs: a small answer to every request.
import http2 from 'node:http2'
import { StreamManager } from 'holdfast'
import { certificate } from '../lib/certificate.mjs'
import { processCpuUs, threadCpuUs, threadNumber } from '../lib/cpu.mjs'
import { answerParent } from '../lib/peer.mjs'

const [contender, scheme] = process.argv.slice(2)
const tls = scheme === 'https' ? await certificate() : undefined
const createServer = () => (tls ? http2.createSecureServer(tls) : http2.createServer())
const body = Buffer.from('{"hello":"world"}\n')
const headers = { 'content-type': 'application/json' }
let answered = 0
let givenBefore = 0
let manager

const servers = {
  async bare() {
    const server = createServer()
    server.on('stream', (stream) => {
      answered++
      stream.respond({ ':status': 200, ...headers })
      stream.end(body)
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return server.address()
  },
  handler: (carrier) => {
    manager = StreamManager.open({ carrier, reactors: 1 })
    manager.on('stream', (stream) => {
      answered++
      stream.respond({ ':status': 200, ...headers })
      stream.end(body)
    })
    if (carrier === 'node') manager.accept(createServer())
    return manager.listen({ host: '127.0.0.1', ...(tls && carrier === 'native' ? { tls } : {}) })
  },
}
const [carrier, kind] = contender.split(' ')
const { port } = contender === 'bare' ? await servers.bare() : await servers.handler(carrier)
if (kind === 'static') manager.respondStatic('/', headers, body)

const thread = threadNumber()
const cpu = () => ({ process: processCpuUs(), javascript: threadCpuUs(thread) })
let before = cpu()
answerParent({
  port: () => ({ port }),
  /** Since it was last asked. */
  spent() {
    const now = cpu()
    const spent = {
      process: now.process - before.process,
      javascript: now.javascript - before.javascript,
    }
    before = now
    const given = (manager?.stats().staticAnswers ?? 0) - givenBefore
    givenBefore += given
    const outcome = { ...spent, answered: answered + given }
    answered = 0
    return outcome
  },
})
