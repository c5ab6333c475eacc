import fc from 'fast-check'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { StreamManager } from '../../dist/index.js'

afterEach(() => StreamManager.open().close())

/** Sends through a registered event stream and gives back what it wrote. */
function wire() {
  const manager = StreamManager.open()
  const chunks: Buffer[] = []
  const raw = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  const stream = manager.register(raw, { kind: 'sse' })
  return {
    stream,
    async text(): Promise<string> {
      await new Promise((resolve) => setImmediate(resolve))
      return Buffer.concat(chunks.splice(0)).toString()
    },
  }
}

function parse(text: string) {
  const events: EventSourceMessage[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onRetry: (retry) => retries.push(retry),
  })
  parser.feed(text)
  return { events, retries }
}

describe('an event stream', () => {
  it('gives each field a line, and each line of data', async () => {
    const { stream, text } = wire()
    stream.send('one\ntwo', { event: 'greeting', id: '7', retry: 1500 })
    expect(await text()).toBe('event: greeting\nid: 7\nretry: 1500\ndata: one\ndata: two\n\n')
    stream.send('')
    stream.send('x', { id: '' })
    expect(await text()).toBe('data: \n\nid: \ndata: x\n\n')
  })

  it('lets nothing in event, id or data forge another field', async () => {
    const { stream, text } = wire()
    const word = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\r', '\n', ':', ' ', 'data', 'id: 1', 'ü'),
        fc.string({ maxLength: 3 }),
      ),
    })
    const field = word.map((value) => value.replace(/[\r\n\0]/g, ''))
    await fc.assert(
      fc.asyncProperty(word, fc.option(field), fc.option(field), async (data, event, id) => {
        const options = { ...(event === null ? {} : { event }), ...(id === null ? {} : { id }) }
        expect(stream.send(data, options)).toBe('sent')
        const { events, retries } = parse(await text())
        expect(retries).toEqual([])
        // An empty data block is no event to the parser's letter, but one line of it is.
        expect(events).toEqual([
          {
            data: data.replace(/\r\n|\r/g, '\n'),
            event: event === null || event === '' ? undefined : event,
            id: id ?? undefined,
          },
        ])
      }),
      { verbose: true, numRuns: 500 },
    )
  })

  it('refuses an event or id that would break its line, before anything is taken', async () => {
    const { stream, text } = wire()
    for (const bad of ['a\nb', 'a\rb', 'a\0b', 5]) {
      for (const name of ['event', 'id']) {
        expect(() => stream.send('x', { [name]: bad })).toThrowError(
          expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' }),
        )
      }
    }
    for (const retry of [-1, 1.5, Number.NaN, '1']) {
      expect(() => stream.send('x', { retry: retry as number })).toThrowError(
        expect.objectContaining({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' }),
      )
    }
    expect(await text()).toBe('')
  })
})
