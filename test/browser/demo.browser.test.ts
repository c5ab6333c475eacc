import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasEnded, killDemos, launchDemo, plantFault, type Demo } from '../helpers/demo.js'
import { until } from '../helpers/wait.js'

/** More connections than it takes the listener to come by every thread. */
const kMostConnections = 16

const sessions: ClientHttp2Session[] = []
/** What pages wrote to their consoles. */
const ofPages: string[] = []
let demo: Demo
let browser: Browser

const launch = (...nodeOptions: string[]) => launchDemo('main.js', ...nodeOptions)

beforeAll(async () => {
  demo = await launch()
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
})

afterAll(async () => {
  for (const session of sessions) session.destroy()
  await browser?.close()
  killDemos()
})

/** A page on a connection of its own, with its stream open. */
async function openPage(url = demo.url): Promise<{ page: Page; uid: string; thread: number }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) ofPages.push(message.text())
  })
  page.on('pageerror', (error) => ofPages.push(String(error)))
  await page.goto(url)
  const uid = (await page.locator('#own-uid[data-uid]').getAttribute('data-uid')) ?? ''
  const held = (await page.locator('#own-thread').textContent()) ?? ''
  return { page, uid, thread: Number(/^thread (\d+)$/.exec(held)?.[1]) }
}

interface Answer {
  status: number
  thread: number
  holder?: number
  result?: string
}

async function post(session: ClientHttp2Session, body: string, type = 'application/json') {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/api/send',
    'content-type': type,
  })
  const response = once(stream, 'response')
  stream.end(body)
  const [headers] = (await response) as [{ ':status': number }]
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk as string
  return { ...(JSON.parse(text) as object), status: headers[':status'] } as Answer
}

function dial(): ClientHttp2Session {
  const session = connect(demo.url, { rejectUnauthorized: false })
  session.on('error', () => {})
  sessions.push(session)
  return session
}

const line = (page: Page, text: string) => page.locator('.entry', { hasText: text })

test('a page sees its uid, and a line that another thread sent it', async () => {
  const { page, uid, thread } = await openPage()
  expect(uid).toMatch(/^[0-9a-f]{16}$/)
  expect(parseInt(uid.slice(0, 4), 16)).toBe(thread)

  let answer: Answer | undefined
  for (let tries = 0; tries < kMostConnections && answer?.result !== 'queued'; tries++) {
    answer = await post(dial(), JSON.stringify({ uid, text: `over connection ${tries}` }))
    expect(answer).toMatchObject({ holder: thread })
    await line(page, `over connection ${tries}`).waitFor()
  }
  expect(answer).toMatchObject({ status: 202, result: 'queued' })
  expect(answer?.thread).not.toBe(thread)
  const newest = page.locator('.entry').first()
  expect(await newest.textContent()).toContain(`from thread ${answer?.thread}`)
  expect(await newest.textContent()).toContain('crossed threads')
  const crossed = page.locator('#stat-crossWorkerLookups')
  await until('the page shows that lookup', async () => Number(await crossed.textContent()) > 0)
  await page.context().close()
})

test('a page picks another from the list and sends to it alone, and markup stays text', async () => {
  const first = await openPage()
  const second = await openPage()
  const text = '<img src=x onerror=alert(1)> & "so on"'
  await second.page.getByRole('button', { name: first.uid }).click()
  expect(await second.page.inputValue('#to')).toBe(first.uid)
  await second.page.fill('#text', text)
  await second.page.click('#send')
  await line(first.page, text).waitFor()
  expect(await first.page.locator('.entry img').count()).toBe(0)
  // The same thread may have taken it: "thread 1 took it and holds the stream".
  const outcome = new RegExp(`thread ${first.thread} (took it and )?holds the stream`)
  await second.page.locator('#outcome', { hasText: outcome }).waitFor()

  await second.page.click('#to-all')
  await second.page.fill('#text', 'to everybody')
  await second.page.click('#send')
  await line(first.page, 'to everybody').waitFor()
  await line(second.page, 'to everybody').waitFor()
  expect(await line(second.page, text).count()).toBe(0)
  await first.page.context().close()

  // Its stream goes with it: nobody can be told that it is still there.
  await until('the first page is off the list', async () => {
    return (await second.page.getByRole('button', { name: first.uid }).count()) === 0
  })
  const late = await post(dial(), JSON.stringify({ uid: first.uid, text: 'too late' }))
  expect(late).toMatchObject({ status: 410, result: 'gone' })
  await second.page.context().close()
})

test('a request to send that is no such thing is refused with its own status', async () => {
  const session = dial()
  const uid = '0001004000000000'
  const statusOf = async (body: string, type?: string) => (await post(session, body, type)).status
  expect(await statusOf('{')).toBe(400)
  expect(await statusOf(JSON.stringify({ uid: '1', text: 'x' }))).toBe(400)
  expect(await statusOf(JSON.stringify({ uid: 'all', text: '' }))).toBe(400)
  expect(await statusOf(JSON.stringify({ uid: 'all', text: 'x'.repeat(2001) }))).toBe(400)
  expect(await statusOf(JSON.stringify({ uid, text: 'x'.repeat(20_000) }))).toBe(413)
  expect(await statusOf(JSON.stringify({ uid, text: 'x' }), 'text/plain')).toBe(415)
})

test('a page whose thread dies goes on under a new uid, and the thread is replaced', async () => {
  const faulty = await launch(...plantFault)
  // A browser may hold connections beside the page's, so two pages need not be on two threads.
  const opened = [await openPage(faulty.url)]
  while (opened.length < 8 && new Set(opened.map(({ thread }) => thread)).size < 2) {
    opened.push(await openPage(faulty.url))
  }
  const pages = [opened[0]!, opened.at(-1)!]
  for (const { page } of opened.slice(1, -1)) await page.context().close()
  faulty.child.kill('SIGUSR2')
  const uidOf = ({ page }: { page: Page }) => page.locator('#own-uid').getAttribute('data-uid')
  const uids = async () => Promise.all(pages.map(uidOf))
  const before = pages.map(({ uid }) => uid)
  const changed = async () => (await uids()).filter((uid, index) => uid !== before[index])
  await until('one page has a new uid', async () => (await changed()).length > 0)
  expect(await changed()).toHaveLength(1)
  for (const { page } of pages) {
    await page.locator('#streams-count', { hasText: '2 streams on 2 threads' }).waitFor()
  }
  for (const { page } of pages) await page.context().close()
  expect(faulty.complaints.join('')).toMatch(/planted[^]*replaces/)
  // The lost connection shows in a console, and ought to.
  expect(ofPages.splice(0).join()).toMatch(/^Failed to load resource: net::ERR_CONNECTION_CLOSED$/)
  await end(faulty.child)
})

test('SIGTERM ends the server with streams open, and until then nobody complained', async () => {
  const { page } = await openPage()
  expect(ofPages).toEqual([])
  const ended = end(demo.child)
  await page.locator('#state:not([data-state="open"])').waitFor()
  await ended
  expect(demo.complaints).toEqual([])
})

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await until('the server has ended', () => hasEnded(child))
  expect([child.exitCode, child.signalCode]).toEqual([0, null])
}
