// uWebSockets.js in its build that npm has: one thread of C++ that calls JavaScript for each message.
import uws from '@trufflesuite/uws-js-unofficial'
import { answerPublishing } from './publish.mjs'

// Without its binary it runs on `ws`, with no more than a word on the console.
if (!uws.us_socket_local_port || !/native code/.test(String(uws.App))) {
  throw new Error('uWebSockets.js has no binary for this Node')
}
const app = uws.App()
app.ws('/*', {
  open: (socket) => socket.subscribe('all'),
  message: (socket, message, isBinary) => socket.send(message, isBinary),
})
const port = await new Promise((resolve, reject) => {
  app.listen('127.0.0.1', 0, (listening) =>
    listening ? resolve(uws.us_socket_local_port(listening)) : reject(new Error('no port')),
  )
})
answerPublishing({
  port,
  pids: () => [process.pid],
  publish: (text) => void app.publish('all', text, false),
})
