import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { answer } from './exchange.js'
import { reading, type Route } from './routing.js'

const kTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * The files of these folders by path, read once: no path from a request ever reaches the file system.
 * A name that is in two folders is the later one's.
 */
export function pageRoutes(...folders: readonly URL[]): Map<string, Route> {
  const routes = new Map<string, Route>()
  for (const folder of folders) {
    for (const name of readdirSync(folder)) {
      const type = kTypes[extname(name)]
      if (!type) continue
      const headers = { 'content-type': type, 'cache-control': 'no-cache' }
      const body = readFileSync(new URL(name, folder))
      const route: Route = { methods: reading, handler: (_, to) => answer(to, 200, headers, body) }
      routes.set(`/${name}`, route)
      if (name === 'index.html') routes.set('/', route)
    }
  }
  if (!routes.has('/')) throw new Error('the page was not built: run npm run build')
  return routes
}
