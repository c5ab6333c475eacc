// The two ways to the room. Each tells `message(value)` what came and `lost()` once it has ended for
// good, and gives `send(value)`, which resolves with why it was refused, if it was, and `close()`.

export function openWebSocket(query, { message, lost }) {
  const socket = new WebSocket(`wss://${location.host}/socket?${query}`)
  socket.addEventListener('message', ({ data }) => message(JSON.parse(data)))
  socket.addEventListener('close', lost)
  return {
    // Refusals come as messages.
    send: async (value) => socket.send(JSON.stringify(value)),
    close: () => {
      socket.removeEventListener('close', lost)
      socket.close()
    },
  }
}

export function openEvents(query, { message, lost, waiting }, secret) {
  const source = new EventSource(`/events?${query}`)
  let uid
  source.addEventListener('message', ({ data, lastEventId }) => {
    const value = JSON.parse(data)
    if (value.type === 'hello') uid = value.uid
    message(value, lastEventId)
  })
  source.addEventListener('error', () => {
    // The browser connects again by itself, and says what it received last, unless it gave up.
    if (source.readyState === EventSource.CLOSED) lost()
    else waiting()
  })
  return {
    async send(value) {
      const response = await fetch('/api/say', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...value, uid, secret }),
      })
      return response.ok ? undefined : (await response.json()).error
    },
    close: () => source.close(),
  }
}
