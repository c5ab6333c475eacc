import { hideTyping, showTyping, startComposer } from './composer.js'
import { Connection } from './connection.js'
import { byId, setText, threadName } from './dom.js'
import { Outgoing } from './outgoing.js'
import { showPeople, showRooms, startSide } from './side.js'
import { clearTalk, isShown, setTitle, showDivider, showMessage, showsAny } from './talk.js'
import { suggestedName, visitor } from './visitor.js'

let own
let rooms = []
/** The last message before a reconnect is behind us; what comes until `ready` was said before. */
let history

const connection = new Connection(visitor, { state: showState, message: hear })
const outgoing = new Outgoing(connection)

const hearers = {
  hello(hello) {
    own = hello
    history = { isLive: false, mayMiss: showsAny() && hello.via.startsWith('WebSocket') }
    byId('you-facts').replaceChildren(threadName(hello.thread), ` · stream ${hello.uid}`)
  },
  ready() {
    history.isLive = true
    byId('empty').hidden = showsAny()
    outgoing.sayAgain(own.person)
  },
  message(message) {
    const isOwn = message.person === own.person
    // A WebSocket hears all that is kept: if that begins with something new, there was more before.
    if (history.mayMiss && !isShown(message)) hearers.gap()
    history.mayMiss = false
    showMessage(message, { isOwn, isLive: history.isLive })
    if (isOwn) outgoing.heard(message.nonce)
    hideTyping(message.person)
  },
  gap: () => showDivider('Some messages in between are not kept any more'),
  people: (list) => showPeople(list, own?.person),
  rooms(list) {
    rooms = list.rooms
    showRooms(rooms, visitor.room)
  },
  typing: ({ person, name }) => person !== own?.person && showTyping(person, name),
  refused({ nonce, error }) {
    if (nonce !== undefined) outgoing.refused(nonce, error)
    else if (!own || history?.isLive !== true) setText(byId('state-text'), error)
  },
}

function hear(value) {
  hearers[value.type]?.(value)
}

function showState(state, transport) {
  byId('state').dataset.state = state
  const by = transport === 'events' ? 'Events' : 'WebSocket'
  const fallen = transport !== visitor.transport ? ' (no WebSocket)' : ''
  const texts = {
    open: `${by}${fallen}`,
    connecting: own ? 'Reconnecting' : 'Connecting',
    refused: 'Refused',
  }
  setText(byId('state-text'), texts[state])
}

function enterRoom() {
  const { room } = visitor
  clearTalk()
  outgoing.clear()
  setText(byId('room'), `# ${room}`)
  setTitle(`${room} · holdfast chat`)
  showRooms(rooms, room)
  connection.open()
}

startSide()
startComposer({
  onSay: (text) => outgoing.say(text, visitor),
  onTyping: () => connection.send({ type: 'typing' }).catch(() => {}),
})
addEventListener('hashchange', enterRoom)
byId('rename').addEventListener('submit', (event) => {
  event.preventDefault()
  const name = byId('name').value.trim()
  if (name === '' || name === visitor.name) return
  visitor.rename(name)
  connection.open()
})
byId('transport').addEventListener('change', ({ target }) => {
  visitor.choose(target.value)
  connection.open()
})
document.querySelector(`[name="transport"][value="${visitor.transport}"]`).checked = true

function begin() {
  byId('name').value = visitor.name
  enterRoom()
  byId('text').focus()
}

if (visitor.name === undefined) {
  byId('welcome-name').value = suggestedName()
  byId('welcome').showModal()
  byId('welcome-name').select()
  // Escape takes the suggestion.
  byId('welcome').addEventListener('close', () => {
    visitor.rename(byId('welcome-name').value.trim() || suggestedName())
    begin()
  })
} else {
  begin()
}
