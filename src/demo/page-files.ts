import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'

export interface PageFile {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const kTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The page's files by path, read once: no path from a request ever reaches the file system. */
export const pageFiles: ReadonlyMap<string, PageFile> = readPageFiles()

function readPageFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>()
  const folder = new URL('./page/', import.meta.url)
  for (const name of readdirSync(folder)) {
    const type = kTypes[extname(name)]
    if (!type) continue
    const headers = { 'content-type': type, 'cache-control': 'no-cache' }
    files.set(`/${name}`, { headers, body: readFileSync(new URL(name, folder)) })
  }
  const index = files.get('/index.html')
  if (!index) throw new Error('the page was not built: run npm run build')
  return files.set('/', index)
}
