// A trial's processes and what they say to each other: a request names its type, the answer repeats it.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { answer } from './wait.mjs'

/** A script in a process of its own, ready to be asked. It ends with this process at the latest. */
export async function startPeer(script, words = [], execArgv = []) {
  const child = fork(fileURLToPath(script), words.map(String), { execArgv })
  await answer(child, 'ready')
  return {
    ask(type, words = {}) {
      const answered = answer(child, type)
      child.send({ type, ...words })
      return answered
    },
    on: (type, action) =>
      child.on('message', (message) => message.type === type && action(message)),
    /** Asks nothing back; what is answered is not waited for. */
    tell: (type, words = {}) => child.connected && child.send({ type, ...words }),
    kill: () => child.kill('SIGKILL'),
    /** For one that has children of its own. */
    end: () => child.disconnect(),
  }
}

/** The other side: answers with what the actions return. */
export function answerParent(actions) {
  process.on('message', async (message) => {
    process.send({ type: message.type, ...(await actions[message.type](message)) })
  })
  process.on('disconnect', () => process.exit())
  process.send({ type: 'ready' })
}

/** The same between a worker thread and the thread that started it. */
export async function askThread(worker, type, words = {}) {
  const answered = answer(worker, type)
  worker.postMessage({ type, ...words })
  return answered
}

export function answerThread(port, actions) {
  port.on('message', async (message) => {
    port.postMessage({ type: message.type, ...(await actions[message.type](message)) })
  })
  port.postMessage({ type: 'ready' })
}
