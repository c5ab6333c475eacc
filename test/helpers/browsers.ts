import { existsSync } from 'node:fs'
import { launch, type Browser } from 'puppeteer-core'
import { describe } from 'vitest'

/** A browser that the tests drive, where Debian has it. */
interface TestBrowser {
  readonly name: string
  readonly installed: boolean
  /** How it asks for a WebSocket where it has no session yet, of a server that has both. */
  readonly coldWebSocket: 'Upgrade' | 'extended CONNECT'
  /** Headless, and content with a certificate that nobody vouches for. */
  launch(): Promise<Browser>
}

const chromium = '/usr/bin/chromium'
const firefox = '/usr/bin/firefox-esr'

export const browsers: readonly TestBrowser[] = [
  {
    name: 'Chromium',
    installed: existsSync(chromium),
    coldWebSocket: 'Upgrade',
    launch: () =>
      launch({
        browser: 'chrome',
        executablePath: chromium,
        acceptInsecureCerts: true,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      }),
  },
  {
    name: 'Firefox',
    installed: existsSync(firefox),
    // Since some version: it begins a session and asks on that.
    coldWebSocket: 'extended CONNECT',
    launch: () =>
      launch({ browser: 'firefox', executablePath: firefox, acceptInsecureCerts: true }),
  },
]

/** The same tests in each; where one is not installed they count as left out. */
export function eachBrowser(tests: (browser: TestBrowser) => void): void {
  for (const browser of browsers) {
    const { name, installed } = browser
    const where = installed ? name : `${name}, which is not on this machine:`
    describe.skipIf(!installed)(where, () => tests(browser))
  }
}
