import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `condition` holds; throws when that takes longer than the deadline. */
export async function until(what, condition, deadlineMs = 60_000) {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`)
    await sleep(5)
  }
}

/** The next message of a worker or child that has the `type`. Throws if the other side ends first. */
export function answer(peer, type) {
  return new Promise((resolve, reject) => {
    const settle = (action, value) => {
      peer.off('message', onMessage)
      peer.off('exit', onExit)
      peer.off('error', onError)
      action(value)
    }
    const onMessage = (message) => message?.type === type && settle(resolve, message)
    const onExit = (code) => settle(reject, new Error(`ended with ${code} before "${type}"`))
    const onError = (error) => settle(reject, error)
    peer.on('message', onMessage)
    peer.on('exit', onExit)
    peer.on('error', onError)
  })
}
