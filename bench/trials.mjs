// Every trial: its script, node's flags for it, what it measures, and what a one-second smoke of it does.
export const trials = [
  {
    name: 'send',
    what: 'messages between threads beside postMessage, BroadcastChannel and Redis',
    script: 'micro/send.mjs',
    smoke: { messages: 2_000, rounds: 1, latencyMessages: 20, loadMs: 20 },
  },
  {
    name: 'publish',
    what: 'the call of publish at 100 and at 100,000 members on 4 threads',
    script: 'micro/publish.mjs',
    smoke: { members: [8, 80], threads: 2, rounds: 1, publishes: 5 },
  },
  {
    name: 'fan-out',
    what: 'CPU of a published event at 1,000 event streams on both carriers, beside a loop of stream.write in node:http2',
    script: 'load/fan-out.mjs',
    smoke: {
      shapes: [
        { sessions: 4, streamsEach: 10, intervalMs: 1, ticks: 20 },
        { sessions: 4, streamsEach: 1, intervalMs: 1, ticks: 20, scheme: 'https' },
      ],
      starts: 1,
      rounds: 1,
    },
  },
  {
    name: 'requests',
    what: 'requests a second from a JavaScript handler, beside node:http2',
    script: 'load/requests.mjs',
    smoke: { requests: 500, rounds: 1 },
    needs: 'load/requests-needs.mjs',
  },
  {
    name: 'busy',
    what: 'a message to a stream whose requests are answered by a busy thread, on both carriers',
    script: 'load/busy.mjs',
    smoke: { messages: 20, gapMs: 3, busyMs: [5] },
  },
  {
    name: 'abuse',
    what: 'the answers to an honest client while others flood, reset or read nothing, on both carriers',
    script: 'load/abuse.mjs',
    smoke: { forMs: 100, kinds: ['PING', 'rapid reset', 'reads nothing'], carriers: ['native'] },
  },
  {
    name: 'blocked',
    what: 'a million messages to a thread that is blocked for two seconds, and a few to another',
    script: 'load/blocked.mjs',
    smoke: { messages: 20_000, streams: 10, blockMs: 100 },
  },
  {
    name: 'order',
    what: '8 threads send and publish to the same 100 streams, each in its order',
    script: 'load/order.mjs',
    smoke: { senders: 3, messages: 2_000, streams: 20, holders: 2 },
  },
  {
    name: 'resume',
    what: '100,000 events of a kept topic, to clients that go and come back to any of 4 threads',
    script: 'load/resume.mjs',
    smoke: {
      events: 2000,
      clients: 8,
      threads: 2,
      rings: [
        { name: 'large', events: 3000, bytes: 2 ** 20 },
        { name: 'small', events: 2, bytes: 2 ** 20 },
      ],
    },
  },
  {
    name: 'streams',
    what: '10,000 event streams on 4 threads, each found and sent to from each thread',
    script: 'load/streams.mjs',
    smoke: { connections: 4, streamsEach: 20, threads: 2 },
  },
  {
    name: 'peers',
    what: 'the same fan-out by better-sse, socket.io and nginx with nchan',
    script: 'load/peers.mjs',
    smoke: {
      shapes: [
        {
          carrier: 'h2',
          sessions: 2,
          streamsEach: 5,
          workers: 1,
          peers: ['holdfast', 'better-sse', 'nchan'],
        },
        {
          carrier: 'ws',
          sessions: 10,
          streamsEach: 1,
          workers: 2,
          peers: ['holdfast', 'socket.io'],
        },
      ],
      events: 20,
      rounds: 1,
    },
  },
  {
    name: 'websockets',
    what: '10,000 WebSockets over 100 HTTP/2 connections on 4 threads, each sent to from each thread',
    script: 'load/websockets.mjs',
    smoke: { connections: 4, socketsEach: 20, threads: 2 },
  },
  {
    name: 'websocket-memory',
    what: 'bytes of an open, idle WebSocket, beside ws',
    script: 'load/websocket-memory.mjs',
    smoke: { sessions: 4, socketsEach: 20, rounds: 1 },
  },
  {
    name: 'echo',
    what: 'WebSocket messages there and back, and published, beside ws and uWebSockets.js',
    script: 'load/echo.mjs',
    smoke: {
      echoes: [{ sessions: 2, streamsEach: 3, inFlight: 4, each: 50 }],
      fanOuts: [{ sessions: 2, streamsEach: 3, events: 20 }],
      rounds: 1,
    },
  },
  {
    name: 'slow',
    what: 'readers that never read, at full send rate, with each policy',
    script: 'load/slow.mjs',
    smoke: {
      seconds: 1,
      readingSeconds: 1,
      quick: 2,
      runs: [
        { onSlow: 'drop', slow: 2 },
        { onSlow: 'drop-oldest', slow: 2 },
        { onSlow: 'disconnect', slow: 2 },
      ],
    },
  },
  {
    name: 'balance',
    what: '400 connections on 4 threads, beside a shared listening socket',
    script: 'load/balance.mjs',
    smoke: { connections: 40, blockMs: 100, gapMs: 0 },
  },
  {
    name: 'memory',
    what: 'bytes of a registered, detached, idle stream',
    script: 'load/memory.mjs',
    smoke: { rounds: 1, shapes: [{ carrier: 'duplex', sockets: 500, streamsEach: 1 }] },
  },
  {
    name: 'idle',
    what: 'resident memory of idle connections and streams on the native carrier, beside node:http2',
    script: 'load/idle.mjs',
    smoke: { connections: { http: 50, https: 20 }, full: 2, streamsEach: 10, rounds: 1 },
  },
  {
    name: 'native-find',
    what: 'find in C++ beside a linear scan and a map under a lock',
    script: 'native/native-find.mjs',
    smoke: { smoke: true },
    needs: 'native/needs.mjs',
  },
]
