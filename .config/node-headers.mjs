// Where the running Node keeps its own headers, so that nothing has to be downloaded.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function nodeDirectory() {
  const candidates = [process.env.npm_config_nodedir, dirname(dirname(process.execPath))]
  return candidates.find((path) => path && existsSync(join(path, 'include/node/node_api.h')))
}
