import { byId, plural, threadName } from './dom.js'

const kUid = /^(?!0{16}$)[0-9a-f]{16}$/

const hints = {
  second:
    'A request without credentials gets a connection of its own, and with it, as a rule, another thread.',
  same: 'The request shares the HTTP/2 connection of the stream, so the same thread handles it.',
}

/** Calls `onTarget` with `all`, a uid, or nothing that can be sent to. */
export function startComposer({ ownUid, onTarget }) {
  const form = byId('composer')
  const to = byId('to')
  const target = () => to.value.trim().toLowerCase()
  const setTarget = (value) => {
    to.value = value
    to.removeAttribute('aria-invalid')
    onTarget(value)
  }

  to.addEventListener('input', () => onTarget(target()))
  byId('to-all').addEventListener('click', () => setTarget('all'))
  byId('to-self').addEventListener('click', () => setTarget(ownUid() ?? ''))
  form.addEventListener('change', () => {
    byId('over-hint').textContent = hints[form.elements.over.value]
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit(target(), byId('text').value, form.elements.over.value)
  })
  return { target, setTarget }
}

async function submit(uid, text, over) {
  const known = uid === 'all' || kUid.test(uid)
  byId('to').setAttribute('aria-invalid', String(!known))
  if (!known) {
    byId('to').focus()
    return say('bad', 'To whom? A uid has 16 hexadecimal digits; or write all.')
  }
  if (text.trim() === '') {
    byId('text').focus()
    return say('bad', 'Write a line first.')
  }
  const button = byId('send')
  button.disabled = true
  try {
    const response = await fetch('/api/send', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // Browsers keep requests with and without credentials on connections apart.
      credentials: over === 'second' ? 'omit' : 'same-origin',
      body: JSON.stringify({ uid, text }),
    })
    const answer = await response.json()
    report(answer)
    if (response.ok) byId('text').value = ''
  } catch {
    const where = over === 'second' ? 'over a second connection' : 'from the server'
    say('bad', `No answer ${where}.`)
  } finally {
    button.disabled = false
  }
}

function report({ error, thread, holder, result, results }) {
  if (error) return say('bad', `Refused: ${error}.`)
  const handler = threadName(thread)
  if (results) {
    const reached = results.sent + results.queued
    const { full, gone } = results
    const lost = full + gone > 0 ? `; ${full} full, ${gone} gone` : ''
    return say(
      'good',
      handler,
      ` took it: ${plural(reached, 'stream')}, ${results.sent} its own, ${results.queued} of other threads${lost}.`,
    )
  }
  if (result === 'gone') return say('bad', handler, ' took it: the stream is gone.')
  if (result === 'full')
    return say('bad', handler, ' took it: the stream reads too slowly, nothing sent.')
  if (result === 'sent') return say('good', handler, ' took it and holds the stream: sent.')
  return say('good', handler, ' took it, ', threadName(holder), ' holds the stream: queued.')
}

function say(tone, ...content) {
  const outcome = byId('outcome')
  outcome.dataset.tone = tone
  outcome.replaceChildren(...content)
}
