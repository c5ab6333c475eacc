// A million messages to streams of a thread that computes and takes nothing for two seconds, and a few
// to another thread meanwhile; then the same to a thread that is not blocked. Each in a process of its own.
import { startPeer } from '../lib/peer.mjs'
import { quantile, round } from '../lib/statistics.mjs'
import { Checks, finish, parameters } from '../lib/trial.mjs'

const { messages, bytes, streams, blockMs, aTick, mailboxBytes } = parameters({
  messages: 1_000_000,
  bytes: 64,
  streams: 100,
  blockMs: 2_000,
  aTick: 2_000,
  mailboxBytes: 64 * 2 ** 20,
})
const kMiB = 2 ** 20
const checks = new Checks()

async function run(ms) {
  const sender = await startPeer(new URL('./blocked-sender.mjs', import.meta.url))
  const ran = await sender.ask('run', { ms, messages, bytes, streams, aTick })
  sender.kill()
  const name = ms > 0 ? 'blocked' : 'not blocked'
  checks.equal(`${name}: taken or refused`, messages, ran.queued + ran.full)
  checks.equal(`${name}: received = taken`, ran.queued, ran.received)
  checks.equal(`${name}: counted as refused`, ran.full, ran.countedFull)
  checks.equal(`${name}: undeliverable`, 0, ran.undeliverable)
  checks.equal(`${name}: mailbox within its bound`, true, ran.mailboxMost <= mailboxBytes)
  const asked = Math.floor(messages / aTick)
  checks.equal(`${name}: to the other thread, refused`, 0, asked - ran.asked)
  checks.equal(`${name}: to the other thread, received`, asked, ran.latencies.length)
  return {
    thread: name,
    taken: ran.queued,
    full: ran.full,
    'send s': round(ran.seconds),
    'mailbox MiB': round(ran.mailboxMost / kMiB),
    'resident MiB': round(ran.resident / kMiB),
    'others p50 us': round(quantile(ran.latencies, 0.5)),
    'others p99 us': round(quantile(ran.latencies, 0.99)),
  }
}

finish([await run(blockMs), await run(0)], checks)
