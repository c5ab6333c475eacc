// Builds the addon in build/ with the headers of the Node that runs this. Does little when it is up to date.
// Arguments go to gyp, for example -Dbuild_tests=true.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { nodeDirectory } from './node-headers.mjs'

const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
const directory = nodeDirectory()
const common = [
  '--silent',
  ...(directory ? [`--nodedir=${directory}`] : []),
  ...process.argv.slice(2),
]
for (const step of [['configure'], ['build', '--jobs', 'max']]) {
  const { status } = spawnSync(process.execPath, [gyp, ...step, ...common], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
