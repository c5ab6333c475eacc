import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager } from '../../dist/index.js'
import { Collector } from '../helpers/collector.js'
import { until } from '../helpers/wait.js'

afterEach(() => StreamManager.open().close())

/** What the wire form of `text` is, as the stream's peer would read it. */
async function sent(text: string, options?: { event: string }): Promise<Buffer> {
  const manager = StreamManager.open()
  const stream = new Collector()
  const { uid } = manager.register(stream)
  expect(manager.send(uid, text, options)).toBe('sent')
  const size = Buffer.byteLength(text)
  await until('the text', () => Buffer.byteLength(stream.text()) >= size)
  stream.destroy()
  return stream.takeWritten()
}

describe('a string', () => {
  const scratchBytes = 64 << 10
  const texts = {
    empty: '',
    ASCII: 'plain',
    'Latin-1': 'caf\u00e9',
    'two bytes a unit': '\u043f\u043e\u0442\u043e\u043a \u2014 \ud83d\ude80',
    'with NUL in it': 'a\0b',
    'joined of pieces': Array.from({ length: 100 }, (_, i) => `piece ${i}`).reduce((a, b) => a + b),
    'as long as fits': '\u20ac'.repeat(Math.floor(scratchBytes / 3)),
    'one more than fits': '\u20ac'.repeat(Math.floor(scratchBytes / 3) + 1),
    'longest of ASCII that fits whatever it holds': 'x'.repeat(Math.ceil(scratchBytes / 3)),
  }
  for (const [name, text] of Object.entries(texts)) {
    it(`goes as UTF-8, with and without an event: ${name}`, async () => {
      const expected = Buffer.from(text)
      expect((await sent(text)).equals(expected)).toBe(true)
      expect((await sent(text, { event: 'unused' })).equals(expected)).toBe(true)
    })
  }

  it('that no UTF-8 can say is refused, whichever way it goes', () => {
    const manager = StreamManager.open()
    const stream = new PassThrough()
    const { uid } = manager.register(stream)
    const bad = ['\ud800', 'a\udc00b', `${'x'.repeat(scratchBytes)}\ud800`]
    for (const text of bad) {
      for (const call of [
        () => manager.send(uid, text),
        () => manager.send(uid, text, { event: 'unused' }),
        () => manager.send(uid, 'x', { key: text }),
        () => manager.publish('topic', text),
        () => manager.broadcast({}, text),
      ]) {
        expect(call).toThrow(expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' }))
      }
    }
    expect(() => manager.publish('\ud800', 'x')).toThrow(
      expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' }),
    )
    expect(stream.read()).toBeNull()
    stream.destroy()
  })
})
