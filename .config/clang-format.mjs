// Checks the C++ files against .clang-format, or with --write formats them.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = dirname(dirname(fileURLToPath(import.meta.url)))
const tool = ['clang-format-19', 'clang-format'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)
if (!tool) {
  console.log('left out: C++ format check (clang-format is not installed)')
  process.exit(process.env.HOLDFAST_REQUIRE_ALL === '1' ? 1 : 0)
}

const files = ['native', 'test/native', 'bench/native']
  .filter((folder) => existsSync(join(top, folder)))
  .flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true }).map((name) => join(folder, name)),
  )
  .filter((file) => /\.(cc|h)$/.test(file))
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror']
const { status } = spawnSync(tool, [...mode, ...files], { cwd: top, stdio: 'inherit' })
console.log(
  `clang-format: ${files.length} files${status === 0 ? '' : ', not all as they should be'}`,
)
process.exit(status === 0 ? 0 : 1)
