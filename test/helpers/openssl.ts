// What node cannot make itself, by openssl's own command.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Certified } from './certificates.js'

/** PKCS #12 of the pair and, if given, the chain behind it. */
export async function bundle(
  { cert, key }: Certified,
  passphrase: string,
  chain = '',
): Promise<Buffer> {
  return inFolder({ cert, key, chain }, async (folder) => {
    const more = chain === '' ? [] : ['-certfile', 'chain']
    await openssl(folder, [
      ...['pkcs12', '-export', '-in', 'cert', '-inkey', 'key', ...more],
      ...['-out', 'pfx', '-passout', `pass:${passphrase}`],
    ])
    return readFile(join(folder, 'pfx'))
  })
}

/** The authority's list of revoked certificates: PEM. */
export async function revoke(
  authority: Certified,
  revoked: readonly Certified[] = [],
): Promise<string> {
  const config =
    '[ca]\ndefault_ca=it\n[it]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=1\n'
  const files = { config, index: '', cert: authority.cert, key: authority.key }
  return inFolder(files, async (folder) => {
    const ca = ['ca', '-config', 'config', '-cert', 'cert', '-keyfile', 'key']
    for (const { cert } of revoked) {
      await writeFile(join(folder, 'revoked'), cert)
      await openssl(folder, [...ca, '-revoke', 'revoked'])
    }
    await openssl(folder, [...ca, '-gencrl', '-out', 'crl'])
    return readFile(join(folder, 'crl'), 'utf8')
  })
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)('openssl', args, { cwd })
}

async function inFolder<Made>(
  files: Readonly<Record<string, string>>,
  make: (folder: string) => Promise<Made>,
): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-openssl-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    return await make(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
