import { startComposer } from './composer.js'
import { byId, colour, duration, setText, threadName } from './dom.js'
import { openEvents } from './events.js'
import { showLine } from './log.js'
import { showCommands } from './shell.js'
import { showStats } from './stats.js'
import { markTarget, onPick, showThreads } from './threads.js'

let own
let openedAt

const composer = startComposer({ ownUid: () => own?.uid, onTarget: markTarget })
onPick((uid) => {
  composer.setTarget(uid)
  byId('text').focus()
})
showOtherOrigin()

openEvents({
  onState(state, reconnects) {
    byId('state').dataset.state = state
    const waiting = own ? 'Reconnecting' : 'Connecting'
    const texts = { open: 'Connected', connecting: waiting, closed: 'Refused, trying again' }
    setText(byId('state-text'), texts[state])
    setText(byId('own-reconnects'), String(reconnects))
    if (state === 'open') return
    openedAt = undefined
    setText(byId('own-age'), '–')
    if (own) {
      const lead =
        'The stream has ended; its uid is never used again. If this lasts, reload the page: a restarted server has a new certificate.'
      setText(byId('own-lead'), lead)
    }
  },
  onHello(hello) {
    const before = own?.uid
    own = hello
    openedAt = Date.now()
    showOwn(hello)
    showCommands(hello.uid)
    if (composer.target() === '' || composer.target() === before) composer.setTarget(hello.uid)
  },
  onFacts(facts) {
    if (!own) return
    showThreads(facts, own.uid)
    showStats(facts.stats)
    markTarget(composer.target())
  },
  onLine: (line) => showLine(line, own?.thread),
})

setInterval(() => {
  if (openedAt !== undefined) setText(byId('own-age'), duration(Date.now() - openedAt))
}, 1000)

function showOwn({ uid, thread, protocol }) {
  const uidView = colour(byId('own-uid'), thread)
  uidView.dataset.uid = uid
  setText(byId('uid-thread'), uid.slice(0, 4))
  setText(byId('uid-socket'), uid.slice(4, 12))
  setText(byId('uid-stream'), uid.slice(12))
  byId('own-thread').replaceChildren(threadName(thread))
  setText(byId('own-protocol'), protocol)
  setText(byId('own-age'), duration(0))
  const lead =
    'One thread of the server holds it. Whichever thread a request reaches, it finds this stream by its uid: a path of three numbers.'
  setText(byId('own-lead'), lead)
}

/** The same server under another name is another origin, and so another connection. */
function showOtherOrigin() {
  const other = new URL(location.href)
  other.hostname = location.hostname === 'localhost' ? '127.0.0.1' : 'localhost'
  const link = byId('other-origin')
  link.href = other.href
  link.textContent = other.origin
}
