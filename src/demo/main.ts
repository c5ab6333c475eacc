import { availableParallelism } from 'node:os'
import { runDemo } from './run.js'

runDemo({
  command: 'npm start',
  about: `Serves one page over HTTP/2 from several threads, each of which holds the event
streams of the connections it was given and can reach those of all the others.`,
  port: 8443,
  threads: availableParallelism(),
  thread: new URL('./thread.js', import.meta.url),
  greet: (url) => `serves ${url}`,
})
