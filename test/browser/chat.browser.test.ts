import type { Browser } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { browsers, eachBrowser } from '../helpers/browsers.js'
import { ChatPerson } from '../helpers/chat-page.js'
import { cuttableWay, type CuttableWay } from '../helpers/cuttable.js'
import { hasEnded, killDemos, launchDemo, type Demo } from '../helpers/demo.js'
import { until } from '../helpers/wait.js'

/** More connections than it takes the listener to come by every thread. */
const kMostConnections = 16

let demo: Demo
const ways: CuttableWay[] = []
const people: ChatPerson[] = []
beforeAll(async () => void (demo = await launchDemo('chat/main.js')))
afterEach(async () => {
  for (const person of people.splice(0)) await person.leave()
  for (const way of ways.splice(0)) way.close()
})
afterAll(killDemos)

let rooms = 0
/** A room that no other test is in. */
const newRoom = () => `${demo.url}#room-${++rooms}`

async function enter(browser: Browser, url: string, name: string): Promise<ChatPerson> {
  const person = await ChatPerson.enter(browser, url, name)
  people.push(person)
  return person
}

/** A browser may hold connections beside its pages', so that two in a row may get one thread. */
async function enterElsewhere(browser: Browser, url: string, name: string, thread: number) {
  for (let tries = 0; tries < kMostConnections; tries++) {
    const person = await enter(browser, url, name)
    if ((await person.thread()) !== thread) return person
    await people.pop()!.leave()
  }
  throw new Error(`nobody came to another thread than ${thread}`)
}

const installed = browsers.every((browser) => browser.installed)

describe.skipIf(!installed)('Chromium and Firefox in one room', () => {
  let chromium: Browser
  let firefox: Browser
  beforeAll(async () => {
    chromium = await browsers[0]!.launch()
    firefox = await browsers[1]!.launch()
  })
  afterAll(async () => {
    await chromium?.close()
    await firefox?.close()
  })

  it('people on two threads talk over both transports, and see each other come and go', async () => {
    const url = newRoom()
    const ada = await enter(chromium, url, 'Ada')
    const adasThread = await ada.thread()
    const grace = await enterElsewhere(firefox, url, 'Grace', adasThread)
    const gracesThread = await grace.thread()
    await ada.seesOnly('Ada', 'Grace')
    await grace.seesOnly('Ada', 'Grace')
    const facts = {
      Ada: `thread ${adasThread} · WebSocket over HTTP/2`,
      Grace: `thread ${gracesThread} · WebSocket over HTTP/2`,
    }
    expect(await ada.sees()).toEqual(facts)
    expect(await grace.sees()).toEqual(facts)
    expect(await ada.text('#room-facts')).toBe('2 people on 2 threads')

    await ada.says('hello from Chromium')
    await grace.hasHeard('hello from Chromium')
    await grace.says('hello from Firefox')
    await ada.hasHeard('hello from Firefox')

    for (const [one, other] of [
      [ada, grace],
      [grace, ada],
    ] as const) {
      await one.chooses('events')
      await until('the list says so', async () =>
        (await other.sees())[one.name]?.endsWith('events over HTTP/2'),
      )
      await one.says(`events of ${one.name}`)
      await other.hasHeard(`events of ${one.name}`)
      await other.says(`WebSocket of ${other.name}`)
      await one.hasHeard(`WebSocket of ${other.name}`)
      await one.chooses('websocket')
    }
    const said = ['hello from Chromium', 'hello from Firefox', 'events of Ada']
    said.push('WebSocket of Grace', 'events of Grace', 'WebSocket of Ada')
    expect(await ada.hears()).toEqual(said)
    expect(await grace.hears()).toEqual(said)

    expect(ada.complaints).toEqual([])
    expect(grace.complaints).toEqual([])
    people.splice(people.indexOf(grace), 1)
    await grace.leave()
    await ada.seesOnly('Ada')
    expect(await ada.text('#room-facts')).toBe('1 person on 1 thread')
  })

  it('markup in names and messages is text to all', async () => {
    const url = newRoom()
    const name = '<img src=x onerror=a()>'
    const text = '<script>alert(1)</script> & <b>"bold"</b> \u2028 https://x/?a=<i>'
    const ada = await enter(chromium, url, 'Ada')
    const mallory = await enter(firefox, url, name)
    await mallory.says(text)
    await ada.hasHeard(text)
    await ada.seesOnly('Ada', name)
    expect(await ada.texts('.by b')).toEqual([name])
    for (const { page } of [ada, mallory]) {
      expect(await page.$$('.messages :is(img, script, b:not(.by > b), i), .people img')).toEqual(
        [],
      )
    }
    expect([...ada.complaints, ...mallory.complaints]).toEqual([])
  })
})

eachBrowser(({ launch }) => {
  let opened: Browser
  beforeAll(async () => void (opened = await launch()))
  afterAll(() => opened?.close())

  it.each(['websocket', 'events'] as const)(
    'who was cut off hears what was said meanwhile, and is heard, once (%s)',
    async (transport) => {
      const way = await cuttableWay(Number(new URL(demo.url).port))
      ways.push(way)
      const url = newRoom()
      const ada = await enter(opened, url, 'Ada')
      const away = url.replace(new URL(url).port, String(way.port))
      const grace = await enter(opened, away, 'Grace')
      if (transport === 'events') await grace.chooses('events')
      await ada.says('before')
      await grace.hasHeard('before')

      way.cut()
      await grace.isCutOff()
      await ada.seesOnly('Ada')
      const missed = ['one', 'two', 'three']
      for (const text of missed) await ada.says(text)
      await ada.hasHeard(...missed)
      await grace.says('from the tunnel')
      expect(await grace.texts('#pending .said')).toEqual(['from the tunnel'])

      way.mend()
      await grace.isConnected()
      await ada.seesOnly('Ada', 'Grace')
      await ada.hasHeard('from the tunnel')
      await grace.hasHeard('from the tunnel')
      const all = ['before', ...missed, 'from the tunnel']
      expect(await grace.hears()).toEqual(all)
      expect(await ada.hears()).toEqual(all)
      expect(await grace.texts('#pending .said')).toEqual([])
      expect(await grace.texts('.divider')).toEqual([])

      // Whoever comes later hears all of it as well.
      const late = await enter(opened, url, 'Late')
      await late.hasHeard(...all)
      expect(await late.hears()).toEqual(all)
    },
  )

  it('who reads further up is told what is new, and who is writing', async () => {
    const url = newRoom()
    const ada = await enter(opened, url, 'Ada')
    await ada.page.setViewport({ width: 390, height: 420 })
    const grace = await enter(opened, url, 'Grace')
    const lines = ['one', 'two', 'three', 'four'].map((line) => `${line}${' and so on'.repeat(12)}`)
    for (const line of lines) await ada.says(line)
    await grace.hasHeard(...lines)
    await ada.hasHeard(...lines)
    await ada.page.bringToFront()
    await ada.page.$eval('#log', (log) => void (log.scrollTop = 0))
    await grace.page.focus('#text')
    await grace.page.keyboard.type('a')
    await until('it is told', async () => (await ada.text('#typing')) === 'Grace is writing…')
    await grace.page.keyboard.type('ha')
    await grace.page.keyboard.press('Enter')
    await ada.hasHeard('aha')
    expect(await ada.text('#newest')).toBe('1 new message ↓')
    expect(await ada.text('#typing')).toBe('')
    expect(await ada.page.title()).toMatch(/^\(1\) room-\d+ · holdfast chat$/)
    await ada.page.click('#newest')
    await until('it was seen', async () => (await ada.page.title()).startsWith('room-'))
    expect(await ada.page.$('#newest:not([hidden])')).toBeNull()
  })

  it('on a phone the side lies over the talk until Escape, and the keyboard stays in it', async () => {
    const ada = await enter(opened, newRoom(), 'Ada')
    await ada.page.setViewport({ width: 390, height: 780 })
    const visibility = `getComputedStyle(document.getElementById('side')).visibility`
    const isAway = async () => (await ada.page.evaluate(visibility)) === 'hidden'
    await until('it has slid away', isAway)
    await ada.page.click('#open-side')
    const focused = () => ada.page.evaluate('document.activeElement.id')
    expect(await focused()).toBe('close-side')
    const isOutOfReach = () => ada.page.evaluate(`document.querySelector('.talk').inert`)
    expect(await isOutOfReach()).toBe(true)
    await ada.page.keyboard.press('Escape')
    expect(await focused()).toBe('open-side')
    expect(await isOutOfReach()).toBe(false)
  })

  it('a page whose WebSockets do not get through goes over to events', async () => {
    const context = await opened.createBrowserContext()
    const page = await context.newPage()
    await page.evaluateOnNewDocument(`window.WebSocket = class extends EventTarget {
        constructor() {
          super()
          setTimeout(() => this.dispatchEvent(new Event('close')))
        }
        close() {}
      }`)
    await page.goto(newRoom())
    await page.waitForSelector('#welcome[open]')
    await page.keyboard.press('Enter')
    await until('it is connected', async () => {
      const state = await page.$eval('#state', (shown) => shown.textContent?.trim())
      return state === 'Events (no WebSocket)'
    })
    await page.focus('#text')
    await page.keyboard.type('heard all the same')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#messages .is-own .said')
    await context.close()
  })
})

it('SIGTERM ends the chat, and until then nobody complained', async () => {
  demo.child.kill('SIGTERM')
  await until('the server has ended', () => hasEnded(demo.child))
  expect([demo.child.exitCode, demo.child.signalCode]).toEqual([0, null])
  expect(demo.complaints).toEqual([])
})
