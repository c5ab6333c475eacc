import { byId, make } from './dom.js'

/** Commands that reach this server from outside the browser. */
export function showCommands(uid) {
  const { origin } = location
  const body = (to, text) => `'${JSON.stringify({ uid: to, text })}'`
  const post = `curl -sk ${origin}/api/send -H 'content-type: application/json' -d`
  byId('shell').replaceChildren(
    command('Send to this page', `${post} ${body(uid, 'hello from a shell')}`),
    command('Hold a further stream', `curl -skN ${origin}/events`),
    command('List the streams', `curl -sk ${origin}/api/streams`),
  )
}

function command(label, text) {
  const button = make('button', {
    className: 'quiet',
    type: 'button',
    text: 'Copy',
    'aria-label': `Copy: ${label}`,
  })
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text)
      button.textContent = 'Copied'
    } catch {
      button.textContent = 'No access'
    }
    setTimeout(() => (button.textContent = 'Copy'), 1500)
  })
  return make(
    'div',
    { className: 'command', role: 'group', 'aria-label': label },
    make('code', { text }),
    button,
  )
}
