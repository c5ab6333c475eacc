import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { connect, get } from '../helpers/client.js'
import { until } from '../helpers/wait.js'
import { readText, top } from '../helpers/repository.js'

let child: ChildProcess | undefined
let folder = ''

afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Pastes an example into an empty project, with a free port instead of 8080; where it listens. */
async function paste(example: number): Promise<string> {
  const [, code] = [...readText('README.md').matchAll(/```js\n([\s\S]*?)```/g)][example]!
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(top, join(folder, 'node_modules', 'holdfast'))
  symlinkSync(join(top, 'node_modules', 'hono'), join(folder, 'node_modules', 'hono'))
  writeFileSync(join(folder, 'example.mjs'), code!.replace('8080', '0'))
  let output = ''
  child = spawn(process.execPath, ['example.mjs'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text))
  await until('it listens', () => /http:\S+\/events/.test(output))
  return new URL(/http:\S+/.exec(output)![0]).origin
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
