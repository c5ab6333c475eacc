import { byId, make, setText } from './dom.js'

// What the server counts, under the names that `manager.stats()` gives it.

const groups = [
  [
    'Streams',
    {
      activeStreams: 'live',
      totalStreamsCreated: 'created',
      totalStreamsDestroyed: 'destroyed',
      detachedStreams: 'detached',
    },
  ],
  [
    'Messages',
    {
      messagesSent: 'sent, own thread',
      messagesQueued: 'queued for another',
      messagesDelivered: 'delivered by it',
      messagesFull: 'refused as full',
      messagesGone: 'refused as gone',
    },
  ],
  [
    'Finding a stream',
    {
      cacheHits: 'on the own thread',
      crossWorkerLookups: 'on another thread',
      cacheMisses: 'missed',
    },
  ],
  [
    'Connections',
    { activeSockets: 'open', connectionsPlaced: 'placed', connectionsDropped: 'dropped' },
  ],
]

const cells = new Map()

export function showStats(stats) {
  if (cells.size === 0) build()
  for (const [name, cell] of cells) {
    const value = stats[name] ?? 0
    const grown = value - (cell.value ?? value)
    setText(cell.number, value.toLocaleString('en'))
    setText(cell.grown, grown > 0 ? `+${grown}` : '')
    cell.value = value
  }
}

function build() {
  for (const [title, names] of groups) {
    const list = make('dl')
    for (const [name, label] of Object.entries(names)) {
      const grown = make('small')
      const number = make('span', { id: `stat-${name}` })
      list.append(
        make(
          'div',
          { className: 'stat', title: name },
          make('dt', { text: label }),
          make('dd', {}, grown, number),
        ),
      )
      cells.set(name, { grown, number })
    }
    byId('stats').append(
      make('div', { className: 'stat-group' }, make('h3', { text: title }), list),
    )
  }
}
