import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top folder, with a slash behind it. */
export const top = fileURLToPath(new URL('../../', import.meta.url))

export function readText(path: string): string {
  return readFileSync(join(top, path), 'utf8')
}

/** The files under a folder whose names end so, as paths from the top. */
export function filesUnder(folder: string, ...endings: string[]): string[] {
  return readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => `${folder}/${name}`)
    .sort()
}

/** The names of a C++ `enum class` with their values, as far as these are plain numbers. */
export function enumOf(header: string, name: string): Map<string, number | undefined> {
  const body = new RegExp(`enum class ${name}\\b[^{]*{([^}]*)}`).exec(readText(header))?.[1]
  if (body === undefined) throw new Error(`${header} has no enum class ${name}`)
  const values = new Map<string, number | undefined>()
  let next: number | undefined = 0
  for (const entry of body.replaceAll(/\/\/.*$/gm, '').split(',')) {
    const [key = '', value] = entry.split('=').map((part) => part.trim())
    if (key === '') continue
    if (value !== undefined) next = /^-?\d+$/.test(value) ? Number(value) : undefined
    values.set(key, next)
    if (next !== undefined) next++
  }
  return values
}

/** `kMaxAge` -> `maxAge`. */
export function camelCase(constant: string): string {
  return constant.charAt(1).toLowerCase() + constant.slice(2)
}
