import { byId, make, plural, threadName } from './dom.js'

const kMostEntries = 200
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

let received = 0

/** Newest first, so that a new line is in sight. */
export function showLine({ text, to, thread, at, id, event }, ownThread) {
  const list = byId('log')
  byId('log-box').hidden = false
  byId('log-empty').hidden = true
  byId('log-count').textContent = plural(++received, 'line')
  const entry = make(
    'li',
    { className: 'entry is-new' },
    make('span', { className: 'entry-text', text }),
    make('time', { text: clock.format(at), datetime: new Date(at).toISOString() }),
    make(
      'span',
      { className: 'entry-facts' },
      make('span', {}, 'from ', threadName(thread)),
      make('span', { text: thread === ownThread ? 'same thread' : 'crossed threads' }),
      ...(to === 'all' ? [make('span', { text: 'to all' })] : []),
      make('span', { text: `event ${event}` }),
      make('span', { text: `id ${id}` }),
    ),
  )
  list.prepend(entry)
  while (list.children.length > kMostEntries) list.lastElementChild.remove()
}
