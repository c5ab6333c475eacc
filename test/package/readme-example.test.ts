import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { connect, get } from '../helpers/client.js'
import { eventsIn } from '../helpers/event-list.js'
import { until } from '../helpers/wait.js'
import { readText, top } from '../helpers/repository.js'
import { Http2WebSocket } from '../helpers/websocket.js'

let child: ChildProcess | undefined
let folder = ''

afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Pastes an example into an empty project, with a free port instead of its own; where it listens. */
async function paste(example: number, files: Record<string, string> = {}): Promise<string> {
  const [, code] = [...readText('README.md').matchAll(/```js\n([\s\S]*?)```/g)][example]!
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(top, join(folder, 'node_modules', 'holdfast'))
  symlinkSync(join(top, 'node_modules', 'hono'), join(folder, 'node_modules', 'hono'))
  writeFileSync(join(folder, 'example.mjs'), code!.replace(/port: \d+/, 'port: 0'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  let output = ''
  child = spawn(process.execPath, ['example.mjs'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text))
  const url = /(https?|wss):\/\/\S+/
  await until('it listens', () => url.test(output))
  const { protocol, host } = new URL(url.exec(output)![0])
  return `${protocol}//${host}`
}

it('the example of the README works as it is written', async () => {
  const url = await paste(0)
  const clients = Array.from({ length: 8 }, () => connect(url))
  const streams = await Promise.all(clients.map((client) => get(client, '/events')))
  const uids: string[] = []
  for (const stream of streams) {
    await until('it has its uid', () => /^event: uid\ndata: [0-9a-f]{16}\n\n$/.test(stream.text()))
    uids.push(stream.text().slice(17, 33))
  }
  const results = new Set<string>()
  for (const [i, client] of clients.entries()) {
    // To the neighbour's stream, which another thread may hold.
    const to = (i + 1) % clients.length
    const answer = await get(client, `/send?uid=${uids[to]}&text=hello%20${i}`)
    await until('it was answered', answer.closed)
    results.add(`${answer.status} ${answer.text()}`)
    await until('the line arrived', () => streams[to]!.text().endsWith(`data: hello ${i}\n\n`))
  }
  expect(
    [...results].sort().filter((result) => !['200 sent', '202 queued'].includes(result)),
  ).toEqual([])
  // Nor does it mind what no URL is made of.
  await get(clients[0]!, '//')
  const dead = await get(clients[0]!, '/send?uid=ffffffffffffffff')
  expect(dead.status).toBe(410)
  for (const client of clients) client.destroy()
})

it('the example with Hono works as it is written', async () => {
  const client = connect(await paste(1))
  const hello = await get(client, '/')
  await until('it was answered', hello.closed)
  expect(hello.text()).toBe('hello')
  const events = await get(client, '/events')
  await until('the event came', () => events.text() === 'data: hello\n\n')
  client.destroy()
})

it('the example with clients that come back works as it is written', async () => {
  const client = connect(await paste(2))
  const events = await get(client, '/events')
  for (const text of ['1', '2']) await get(client, `/?text=${text}`)
  await until('both came', () => eventsIn(events.text()).length === 2)
  const [first] = eventsIn(events.text())
  const again = await get(client, '/events', { 'last-event-id': first!.id! })
  await until('the second came again', () => eventsIn(again.text()).length === 1)
  expect(eventsIn(again.text())).toMatchObject([{ data: '2' }])
  const poll = await get(client, `/poll?cursor=${first!.id}`)
  await until('it was answered', poll.closed)
  expect(JSON.parse(poll.text())).toMatchObject([{ data: '2' }])
  expect((await get(client, '//')).status).toBe(204)
  client.destroy()
})

it('the example with WebSockets works as it is written, over HTTP/2 and HTTP/1.1', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
  const url = await paste(3, { 'cert.pem': cert, 'key.pem': key })
  const session = connect(url.replace('wss', 'https'), { rejectUnauthorized: false })
  const hello = await get(session, '/')
  await until('it was answered', hello.closed)
  expect(hello.text()).toBe('hello')

  const headers = { 'sec-websocket-protocol': 'chat' }
  const one = await Http2WebSocket.open(session, { headers })
  expect(one.headers['sec-websocket-protocol']).toBe('chat')
  const other = new WebSocket(url, ['chat'], { rejectUnauthorized: false })
  const heard: string[] = []
  other.on('message', (data: Buffer) => heard.push(data.toString()))
  await once(other, 'open')
  expect(other.protocol).toBe('chat')

  one.send('over HTTP/2')
  await one.next(1)
  await until('the other heard it', () => heard.length === 1)
  other.send('over HTTP/1.1')
  await until('the other heard itself', () => heard.length === 2)
  expect(await one.next(2)).toEqual(['over HTTP/2', 'over HTTP/1.1'])
  expect(heard).toEqual(['over HTTP/2', 'over HTTP/1.1'])
  other.terminate()
  session.destroy()
})
