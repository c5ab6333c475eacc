import { byId, colour, duration, make, plural, setText, threadName } from './dom.js'

// The live streams by thread. Rows are kept and changed in place, so that the focus stays where it is.

const threadViews = new Map()
let pick = () => {}

export function onPick(handler) {
  pick = handler
}

export function showThreads({ threads, streams }, ownUid) {
  setText(
    byId('streams-count'),
    `${plural(streams, 'stream')} on ${plural(threads.length, 'thread')}`,
  )
  const sorted = [...threads].sort((a, b) => a.thread - b.thread)
  keep(threadViews, sorted, (facts) => facts.thread, makeThread, byId('threads'))
  for (const facts of sorted) updateThread(threadViews.get(facts.thread), facts, ownUid)
}

export function markTarget(uid) {
  for (const { rows } of threadViews.values()) {
    for (const [rowUid, row] of rows) {
      row.button.setAttribute('aria-pressed', String(uid === 'all' || rowUid === uid))
    }
  }
}

/** Makes `views` and the children of `parent` those of `items`, in their order. */
function keep(views, items, keyOf, create, parent) {
  const keys = new Set(items.map(keyOf))
  for (const [key, view] of views) {
    if (keys.has(key)) continue
    view.element.remove()
    views.delete(key)
  }
  items.forEach((item, index) => {
    const key = keyOf(item)
    if (!views.has(key)) views.set(key, create(item))
    const { element } = views.get(key)
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index])
  })
}

function makeThread({ thread }) {
  const load = make('span')
  const list = make('ul')
  const rest = make('p', { className: 'more' })
  const name = make('h3', {}, threadName(thread))
  const head = make('div', { className: 'thread-head' }, name, load)
  const element = colour(make('div', { className: 'thread' }, head, list, rest), thread)
  return { element, load, list, rest, rows: new Map() }
}

function updateThread(view, { listed, streams, connections }, ownUid) {
  setText(view.load, `${plural(streams, 'stream')}, ${plural(connections, 'connection')}`)
  const sorted = [...listed].sort((a, b) => a.createdAt - b.createdAt || (a.uid < b.uid ? -1 : 1))
  keep(view.rows, sorted, (stream) => stream.uid, makeRow, view.list)
  for (const stream of sorted) updateRow(view.rows.get(stream.uid), stream, stream.uid === ownUid)
  const hidden = streams - listed.length
  setText(view.rest, streams === 0 ? 'No stream here yet.' : `and ${hidden} more`)
  view.rest.hidden = streams > 0 && hidden === 0
}

function makeRow({ uid }) {
  const text = make(
    'span',
    { className: 'row-uid' },
    make('b', { text: uid.slice(0, 4) }),
    uid.slice(4),
  )
  const badge = make('span', { className: 'badge', text: 'you' })
  const peer = make('span', { className: 'row-peer' })
  const age = make('span')
  const facts = make('span', { className: 'row-facts' }, peer, age)
  const button = make(
    'button',
    { className: 'row', type: 'button', 'aria-pressed': 'false', title: 'Send to this stream' },
    text,
    badge,
    facts,
  )
  button.addEventListener('click', () => pick(uid))
  return { element: make('li', {}, button), button, badge, peer, age }
}

function updateRow(row, { protocol, peer, createdAt }, isOwn) {
  row.badge.hidden = !isOwn
  setText(row.peer, `${protocol} from ${peer} · `)
  setText(row.age, duration(Date.now() - createdAt))
}
