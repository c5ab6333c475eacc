import { expect, test } from 'vitest'
import { ending, runChild } from '../helpers/child.js'

const script = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url)
/** Sudden ends are a matter of luck: a long run is asked for by the environment. */
const repeats = Number(process.env['HOLDFAST_REPEAT'] ?? 10)

test(
  `process.exit under load ends with its code, ${repeats} times`,
  async () => {
    for (let i = 0; i < repeats; i++) {
      const child = await runChild(script('exit-under-load.mjs'), [])
      expect(ending(child), child.stderr).toEqual({ code: 7, signal: null, hung: false })
    }
  },
  repeats * 10_000,
)

test(
  '20 threads terminated while busy with each other leave no stream and no message',
  async () => {
    const rounds = Math.max(2, Math.ceil(repeats / 5))
    const child = await runChild(script('terminate-many.mjs'), [String(rounds), '20'], {
      deadlineMs: rounds * 30_000,
      // Of some thousand threads that end while V8 compiles for them, Node 20 aborts at one: its
      // compiler asks for memory for a thread that the platform has forgotten.
      nodeArguments: ['--no-concurrent-recompilation'],
    })
    expect(ending(child), child.stderr).toEqual({ code: 0, signal: null, hung: false })
    expect(JSON.parse(child.stdout)).toEqual({
      uncaught: [],
      active: 0,
      sockets: 0,
      detached: 0,
      lost: 0,
    })
  },
  repeats * 30_000,
)

for (const [how, code, signal, tls] of [
  ['exit', 7, null, ''],
  // Where the library that speaks it is taken away as well.
  ['exit', 7, null, 'tls'],
  ['sigterm', null, 'SIGTERM', ''],
  ['terminate', 0, null, ''],
] as const) {
  test(
    `${how} ${tls} with streams on a reactor under load ends as it should, ${repeats} times`,
    async () => {
      for (let i = 0; i < repeats; i++) {
        const child = await runChild(script('reactor-under-load.mjs'), [how, tls])
        expect(ending(child), child.stderr).toEqual({ code, signal, hung: false })
      }
    },
    repeats * 10_000,
  )
}
