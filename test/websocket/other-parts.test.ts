import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { StreamManager, type WebSocketStream } from '../../dist/index.js'
import { until } from '../helpers/wait.js'
import { holderOf, holderOver, serveWebSockets } from '../helpers/websocket-server.js'

afterEach(() => StreamManager.open().close())

const required = process.env['HOLDFAST_REQUIRE_ALL'] === '1'

/** Whether the machine has it; where everything is required, it has to. */
function has(command: string, ...args: string[]): boolean {
  if (required) return true
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Debian's own, which sees Debian's packages. */
const python = '/usr/bin/python3'

// Left out where Debian's python3-h2 and python3-wsproto are not installed.
describe.skipIf(!has(python, '-c', 'import h2, wsproto'))('a client of python parts', () => {
  const script = fileURLToPath(new URL('fixtures/client.py', import.meta.url))

  it.each([
    ['in clear', 'h2', 'plain'],
    ['over TLS', 'h2-tls', 'tls'],
  ] as const)(
    'has 300 WebSockets on one connection %s, all echoed and ended',
    async (_, transport, scheme) => {
      const holders = new Set<string | undefined>()
      const server = await serveWebSockets(transport, {
        onSocket(socket) {
          holders.add(holderOf(StreamManager.open(), socket))
          socket.on('message', (data) => socket.send(data))
        },
      })
      const { stdout } = await promisify(execFile)(
        python,
        [script, String(server.port), scheme, '300'],
        { timeout: 90_000 },
      )
      expect(JSON.parse(stdout)).toEqual({
        opened: 300,
        echoed: 300,
        closed: 300,
        ended: 300,
        reset: 0,
      })
      expect([...holders]).toEqual([holderOver(transport)])
      await until('all are told', () => server.closes.length === 300)
      expect(new Set(server.closes.map((close) => JSON.stringify(close)))).toEqual(
        new Set([JSON.stringify({ reason: 'end', code: 1000, text: 'done' })]),
      )
      await server.close()
    },
  )
})

function echoOrClose(socket: WebSocketStream): void {
  socket.on('message', (data) => {
    if (data === 'close me') socket.close({ code: 4000 })
    else socket.send(data)
  })
}

/** Nobody but the WebSocket itself ends a stream whose proxy does not. */
const patient = { onSocket: echoOrClose, manager: { cleanupIntervalMs: 3_600_000 } }

describe('behind a proxy that turns Upgrade into extended CONNECT', () => {
  let proxy: ChildProcess | undefined
  let folder = ''
  afterEach(async () => {
    if (proxy?.exitCode === null) {
      const gone = once(proxy, 'exit')
      proxy.kill('SIGKILL')
      await gone
    }
    proxy = undefined
    if (folder) rmSync(folder, { recursive: true, force: true })
    folder = ''
  })

  /** Neither proxy can say which port it was given, so one that was free a moment ago is tried. */
  async function start(command: string, args: (port: number) => string[]): Promise<number> {
    const probe = net.createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as net.AddressInfo
    probe.close()
    await once(probe, 'close')
    proxy = spawn(command, args(port), { stdio: 'ignore' })
    await until(`${command} listens`, () => {
      if (typeof proxy?.exitCode === 'number')
        throw new Error(`${command} ended with ${proxy.exitCode}`)
      const socket = net.connect(port, '127.0.0.1')
      return new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      }).finally(() => socket.destroy())
    })
    return port
  }

  async function passes(port: number, server: Awaited<ReturnType<typeof serveWebSockets>>) {
    const clients = Array.from({ length: 20 }, () => new WebSocket(`ws://127.0.0.1:${port}/`))
    await Promise.all(clients.map((client) => once(client, 'open')))
    expect(server.sockets.length).toBe(20)
    const overHttp2 = server.sockets.filter(
      ({ socket }) => 'ping' in socket.owner || 'worker' in socket.owner,
    )
    expect(overHttp2.length).toBe(20)
    for (const [i, client] of clients.entries()) {
      for (const sent of [`hello ${i}`, Buffer.alloc(70_000, i)]) {
        const echoed = once(client, 'message') as Promise<[Buffer, boolean]>
        client.send(sent)
        const [data, isBinary] = await echoed
        expect(isBinary).toBe(typeof sent !== 'string')
        expect(data.equals(Buffer.from(sent))).toBe(true)
      }
      const pong = once(client, 'pong')
      client.ping('there')
      expect(String((await pong)[0])).toBe('there')
      const closed = once(client, 'close') as Promise<[number, Buffer]>
      if (i % 2 === 0) client.close(4000, 'bye')
      else client.send('close me')
      expect((await closed)[0]).toBe(4000)
    }
    await until('all closed', () => server.closes.length === 20)
    expect(server.closes.map(({ code }) => code)).toEqual(Array(20).fill(4000))
    await server.close()
  }

  it.skipIf(!has('nghttpx', '--version'))('nghttpx', async () => {
    const server = await serveWebSockets('h2', patient)
    const port = await start('nghttpx', (frontend) => [
      '--conf=/dev/null',
      '--workers=1',
      `--frontend=127.0.0.1,${frontend};no-tls`,
      `--backend=127.0.0.1,${server.port};;proto=h2`,
    ])
    await passes(port, server)
  })

  it.skipIf(!has('haproxy', '-v'))('HAProxy', async () => {
    const server = await serveWebSockets('h2', patient)
    folder = mkdtempSync(join(tmpdir(), 'holdfast-'))
    const config = join(folder, 'haproxy.cfg')
    const port = await start('haproxy', (frontend) => {
      const lines = [
        'global',
        '  maxconn 200',
        'defaults',
        '  mode http',
        '  timeout connect 5s',
        '  timeout client 30s',
        '  timeout server 30s',
        '  timeout tunnel 60s',
        'frontend front',
        `  bind 127.0.0.1:${frontend}`,
        '  default_backend back',
        'backend back',
        `  server one 127.0.0.1:${server.port} proto h2 ws h2`,
      ]
      writeFileSync(config, `${lines.join('\n')}\n`)
      return ['-f', config, '-db']
    })
    await passes(port, server)
  })
})
