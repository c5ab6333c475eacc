import { describe, expect, test } from 'vitest'
import { filesUnder, readText } from '../helpers/repository.js'

const sources = filesUnder('native', '.cc')

/** The files that binding.gyp names in its list of that name. */
function gypList(name: string): string[] {
  const list = new RegExp(`'${name}': \\[([^\\]]*)\\]`).exec(readText('binding.gyp'))?.[1]
  if (list === undefined) throw new Error(`binding.gyp has no list ${name}`)
  return [...list.matchAll(/'([^']+)'/g)].map(([, file = '']) => file)
}

describe('the two builds', () => {
  const core = ['core_sources', 'linux_sources', 'mac_sources'].flatMap(gypList)

  test('binding.gyp names every source file once', () => {
    expect([...core, ...gypList('addon_sources')].sort()).toEqual(sources)
  })

  test('native/CMakeLists.txt names the same files', () => {
    const text = readText('native/CMakeLists.txt').replaceAll(/#.*$/gm, '')
    const named = [...text.matchAll(/[\w/]+\.cc\b/g)].map(([file]) => `native/${file}`)
    const ofNative = named.filter((file) => !file.includes('/test/'))
    expect([...new Set(ofNative)].sort()).toEqual(sources)
  })
})

describe('the layers of native/', () => {
  const files = filesUnder('native', '.cc', '.h')
  const folderOf = (file: string): string => file.split('/')[1] ?? ''

  /** Lines that match, outside the files that may have them, as `file: line`. */
  function strays(pattern: RegExp, isAllowed: (file: string) => boolean): string[] {
    return files
      .filter((file) => !isAllowed(file))
      .flatMap((file) =>
        readText(file)
          .split('\n')
          .filter((line) => pattern.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      )
  }
  const within =
    (...folders: string[]) =>
    (file: string): boolean =>
      folders.includes(folderOf(file))

  test.each([
    ['Node-API', /#include [<"](napi|node_api|js_native_api|node)\b/, within('binding')],
    ['libuv', /#include [<"]uv\b/, within('loop', 'binding')],
    ['epoll and kqueue', /#include <sys\/(epoll|event|eventfd|timerfd)\.h>/, within('reactor')],
    [
      'locks',
      /#include <(mutex|shared_mutex|condition_variable)>|\bpthread_(mutex|rwlock|cond|spin)_/,
      (file: string) => file === 'native/base/mutex.h',
    ],
  ])('only their own layer knows %s', (_, pattern, isAllowed) => {
    expect(strays(pattern, isAllowed)).toEqual([])
    // The pattern finds what it looks for where that may be.
    expect(strays(pattern, () => false)).not.toEqual([])
  })

  const lower: Record<string, string[]> = {
    base: [],
    codec: ['base'],
    reactor: ['base'],
    core: ['base', 'codec'],
    h2: ['base', 'core', 'reactor'],
    listener: ['base', 'core', 'reactor'],
    carrier: ['base', 'core', 'h2', 'listener', 'reactor'],
    loop: ['base', 'carrier', 'core', 'reactor'],
    binding: ['base', 'carrier', 'codec', 'core', 'h2', 'listener', 'loop', 'reactor'],
  }

  test('headers are included downwards alone', () => {
    const upward = files.flatMap((file) => {
      const allowed = [folderOf(file), ...(lower[folderOf(file)] ?? [])]
      return [...readText(file).matchAll(/#include "([^"]+)"/g)]
        .map(([, header = '']) => header)
        .filter((header) => !allowed.includes(header.split('/')[0] ?? ''))
        .map((header) => `${file} includes ${header}`)
    })
    expect(upward).toEqual([])
    expect(files.map(folderOf).filter((folder) => !(folder in lower))).toEqual([])
  })

  test('no file is longer than 500 lines', () => {
    const long = files.filter((file) => readText(file).split('\n').length > 500)
    expect(long).toEqual([])
  })
})
