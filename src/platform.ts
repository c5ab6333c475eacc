import { HoldfastError } from './errors.js'

/** Throws one clear error where the addon cannot run, before anything tries to load it. */
export function checkRuntime(versions: NodeJS.ProcessVersions, platform: string): void {
  const other = versions['bun'] ? 'Bun' : versions['deno'] ? 'Deno' : undefined
  if (other)
    throw new HoldfastError('ERR_HOLDFAST_UNSUPPORTED', `holdfast needs Node.js; this is ${other}`)
  if (platform !== 'linux' && platform !== 'darwin') {
    throw new HoldfastError(
      'ERR_HOLDFAST_UNSUPPORTED',
      `holdfast runs on Linux and macOS, not on ${platform}`,
    )
  }
}
