import { byId, make } from './dom.js'
import { isShown, messageView, toEnd } from './talk.js'
import { newToken } from './visitor.js'

/**
 * What this page has said and not yet heard back. It is said again after each reconnect until it is
 * heard: under the same nonce, so that nobody is shown it twice.
 */
export class Outgoing {
  #connection
  /** By nonce. */
  #waiting = new Map()

  constructor(connection) {
    this.#connection = connection
  }

  say(text, { name }) {
    const message = { type: 'say', nonce: newToken(16), text }
    const view = messageView(
      { name, text, at: Date.now() },
      { isFirst: true, isOwn: true, isLive: true },
    )
    view.classList.add('is-waiting')
    byId('pending').append(view)
    this.#waiting.set(message.nonce, { message, view })
    toEnd()
    void this.#send(message)
  }

  heard(nonce) {
    this.#waiting.get(nonce)?.view.remove()
    this.#waiting.delete(nonce)
  }

  /** Once history has come: what is not in it has not arrived. */
  sayAgain(person) {
    for (const [nonce, { message }] of this.#waiting) {
      if (isShown({ person, nonce })) this.heard(nonce)
      else void this.#send(message)
    }
  }

  refused(nonce, error) {
    const entry = this.#waiting.get(nonce)
    if (!entry) return
    const again = make('button', { className: 'quiet', text: 'Send again', type: 'button' })
    again.addEventListener('click', () => {
      entry.trouble.remove()
      void this.#send(entry.message)
    })
    entry.trouble?.remove()
    entry.trouble = make('p', { className: 'trouble', role: 'alert', text: error }, again)
    entry.view.append(entry.trouble)
    toEnd()
  }

  clear() {
    this.#waiting.clear()
    byId('pending').replaceChildren()
  }

  async #send(message) {
    try {
      const error = await this.#connection.send(message)
      if (error) this.refused(message.nonce, error)
    } catch {
      // It stays, and is said again when there is a connection.
    }
  }
}
