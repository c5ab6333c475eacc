// tsc copies no pages: puts the demos' HTML, CSS and browser modules beside their compiled servers.
import { cpSync, rmSync } from 'node:fs'

// What was moved or removed must not be served from an old build.
for (const folder of ['demo/shared', 'demo/page', 'demo/chat/page']) {
  rmSync(`dist/${folder}`, { recursive: true, force: true })
  cpSync(`src/${folder}`, `dist/${folder}`, { recursive: true })
}
