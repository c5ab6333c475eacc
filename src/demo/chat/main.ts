import { availableParallelism } from 'node:os'
import { runDemo } from '../run.js'
import { RateLimit } from './rate-limit.js'
import { watchRooms } from './rooms.js'

runDemo({
  command: 'npm run demo:chat',
  about: `A chat with rooms: over WebSockets, or event streams and POST, and people on all
threads. These share what holdfast keeps, and a count of how fast each person talks.`,
  port: 0,
  threads: Math.max(2, availableParallelism()),
  thread: new URL('./thread.js', import.meta.url),
  workerData: { rates: RateLimit.memory() },
  // Who has gone without a word is off the list in 15 s, on HTTP/2.
  manager: { pingIntervalMs: 10_000, pingTimeoutMs: 5_000 },
  watch: watchRooms,
  greet: (url) => `chats at ${url}`,
})
