import type { Browser, Page } from 'puppeteer-core'
import { until } from './wait.js'

/** Somebody at a page of the chat. */
export class ChatPerson {
  /** What the page wrote to its console. */
  readonly complaints: string[] = []

  private constructor(
    readonly name: string,
    readonly page: Page,
  ) {}

  /** In a context of its own, and so on a connection of its own. */
  static async enter(browser: Browser, url: string, name: string): Promise<ChatPerson> {
    const context = await browser.createBrowserContext()
    const person = new ChatPerson(name, await context.newPage())
    person.page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) person.complaints.push(message.text())
    })
    person.page.on('pageerror', (error) => person.complaints.push(String(error)))
    await person.page.goto(url)
    await person.page.waitForSelector('#welcome[open]')
    // The suggestion is selected: what one types stands instead of it.
    await person.page.keyboard.type(name)
    await person.page.keyboard.press('Enter')
    await person.isConnected()
    return person
  }

  async leave(): Promise<void> {
    await this.page.browserContext().close()
  }

  state(): Promise<string> {
    return this.page.$eval('#state', (state) => (state as unknown as Shown).dataset['state'] ?? '')
  }

  async isConnected(): Promise<void> {
    await until(`${this.name} is connected`, async () => (await this.state()) === 'open')
  }

  async isCutOff(): Promise<void> {
    await until(`${this.name} is cut off`, async () => (await this.state()) === 'connecting')
  }

  async thread(): Promise<number> {
    return Number(/thread (\d+)/.exec(await this.text('#you-facts'))?.[1])
  }

  async chooses(transport: 'websocket' | 'events'): Promise<void> {
    await this.page.$eval(`#transport input[value="${transport}"]`, (input) =>
      (input as unknown as Shown).click(),
    )
    await until(`${this.name} is connected by ${transport}`, async () => {
      return (await this.text('#state')) === (transport === 'events' ? 'Events' : 'WebSocket')
    })
  }

  async says(text: string): Promise<void> {
    await this.page.focus('#text')
    await this.page.keyboard.type(text)
    await this.page.keyboard.press('Enter')
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (found) => (found.textContent ?? '').trim())
  }

  texts(selector: string): Promise<string[]> {
    return this.page.$$eval(selector, (all) => all.map((one) => (one.textContent ?? '').trim()))
  }

  /** What stands in the talk, waiting messages left out. */
  hears(): Promise<string[]> {
    return this.texts('#messages .said')
  }

  async hasHeard(...texts: string[]): Promise<void> {
    await until(`${this.name} has heard ${texts.join(', ')}`, async () => {
      const heard = await this.hears()
      return texts.every((text) => heard.includes(text))
    })
  }

  /** Who is there and how, as the list says it. */
  async sees(): Promise<Record<string, string>> {
    const names = await this.texts('.person-name')
    const facts = await this.texts('.person-facts')
    return Object.fromEntries(names.map((name, i) => [name.replace(' (you)', ''), facts[i] ?? '']))
  }

  async seesOnly(...names: string[]): Promise<void> {
    const expected = [...names].sort().join()
    await until(`${this.name} sees ${expected}`, async () => {
      return (
        Object.keys(await this.sees())
          .sort()
          .join() === expected
      )
    })
  }
}

/** What the project, which has no types of pages, needs of an element. */
interface Shown {
  readonly dataset: Record<string, string>
  click(): void
}
