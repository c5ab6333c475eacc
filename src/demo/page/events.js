// The page's event stream. The browser reconnects by itself after most failures; after those that it
// takes for final (a refused certificate, an answer that is no event stream) this asks again.

const kAgainMs = 3000

export function openEvents({ onState, onHello, onFacts, onLine }) {
  let reconnects = -1

  function open() {
    onState('connecting', Math.max(0, reconnects))
    const source = new EventSource('/events')
    source.addEventListener('hello', (event) => {
      reconnects++
      onState('open', reconnects)
      onHello(JSON.parse(event.data))
    })
    source.addEventListener('facts', (event) => onFacts(JSON.parse(event.data)))
    source.addEventListener('line', (event) => {
      onLine({ ...JSON.parse(event.data), id: event.lastEventId, event: event.type })
    })
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) {
        onState('connecting', Math.max(0, reconnects))
        return
      }
      onState('closed', Math.max(0, reconnects))
      setTimeout(open, kAgainMs)
    })
  }

  open()
}
