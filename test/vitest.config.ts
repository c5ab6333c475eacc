import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// One project a folder. What each may take: a child process or a browser is slow to start on a busy
// machine, and the package tests compile the addon once more.
const timeouts = {
  unit: 20_000,
  http2: 60_000,
  websocket: 120_000,
  threads: 120_000,
  lifecycle: 120_000,
  browser: 120_000,
  package: 400_000,
}

// What is written on `manager.on('stream')` runs a second time, on the native carrier.
const onBothCarriers = [
  'http2/requests',
  'http2/request-breaks',
  'http2/request-pressure',
  'http2/request-source',
  'http2/fetch',
  'http2/listeners',
  'http2/client-certificates',
  'http2/static-answers',
  'http2/delivery',
  'http2/peer-breaks-protocol',
  'http2/slow-readers',
  'websocket/bad-frames',
  'websocket/face',
  'websocket/graphql',
  'websocket/handshake',
  'websocket/limits',
  'websocket/messages',
  'websocket/other-parts',
].map((name) => `test/${name}.test.ts`)

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // A file is a process of its own: the manager and the registry are one a process.
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    retry: 0,
    // `ws` uses bufferutil where it finds it: a peer of the benches brings it, holdfast does not.
    env: { WS_NO_BUFFER_UTIL: '1' },
    allowOnly: false,
    projects: [
      ...Object.entries(timeouts).map(([name, timeout]) => ({
        extends: true as const,
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          testTimeout: timeout,
          hookTimeout: timeout,
        },
      })),
      {
        extends: true,
        test: {
          name: 'native-carrier',
          include: onBothCarriers,
          env: { HOLDFAST_CARRIER: 'native' },
          testTimeout: timeouts.websocket,
          hookTimeout: timeouts.websocket,
        },
      },
    ],
  },
})
