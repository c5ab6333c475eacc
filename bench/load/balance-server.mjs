// The serving process of balance.mjs: `node balance-server.mjs <contender> <threads>`.
import { Worker } from 'node:worker_threads'
import { StreamManager } from 'holdfast'
import { answer } from '../lib/wait.mjs'

const [contender, threads] = process.argv.slice(2)
const workers = []

/** Starts a thread. `shared`: undefined, or the descriptor to share, -1 for the first, which opens it. */
async function startWorker(shared) {
  const worker = new Worker(new URL('./balance-worker.mjs', import.meta.url), {
    workerData: { shared },
  })
  workers.push(worker)
  return answer(worker, 'ready')
}
function ask(worker, type, words = {}) {
  const answered = answer(worker, type)
  worker.postMessage({ type, ...words })
  return answered
}

let port
if (contender === 'shared socket') {
  const first = await startWorker(-1)
  port = first.port
  while (workers.length < Number(threads)) await startWorker(first.fd)
} else {
  const listening = await StreamManager.open().listen({ host: '127.0.0.1' })
  port = listening.port
  while (workers.length < Number(threads)) await startWorker()
}

process.on('message', async ({ type, ms }) => {
  if (type === 'block') {
    await ask(workers[0], 'block', { ms })
    process.send({ type })
  } else {
    const answers = await Promise.all(workers.map((worker) => ask(worker, 'count')))
    process.send({ type, spread: answers.map(({ count }) => count) })
  }
})
process.send({ type: 'ready', port })
