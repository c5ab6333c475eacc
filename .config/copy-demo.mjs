// tsc copies no pages: puts the demo's HTML, CSS and browser modules beside its compiled server.
import { cpSync } from 'node:fs'

cpSync('src/demo/page', 'dist/demo/page', { recursive: true })
