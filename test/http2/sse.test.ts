import fc from 'fast-check'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { afterEach, describe, expect, it } from 'vitest'
import { Collector } from '../helpers/collector.js'
import { StreamManager } from '../../dist/index.js'

afterEach(() => StreamManager.open().close())

/** Sends through a registered event stream and gives back what it wrote. */
function wire() {
  const manager = StreamManager.open()
  const raw = new Collector()
  const stream = manager.register(raw, { kind: 'sse' })
  return {
    stream,
    async text(): Promise<string> {
      await new Promise((resolve) => setImmediate(resolve))
      return raw.takeWritten().toString()
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

  it('brings its client exactly what was sent, or refuses it before anything is sent', async () => {
    const { stream, text } = wire()
    const word = fc.string({
      unit: fc.oneof(
        fc.constantFrom(
          '\r',
          '\n',
          '\0',
          ':',
          ' ',
          'data',
          'id: 1',
          'retry: 1',
          '\ud83d',
          '\udc00',
        ),
        fc.string({ unit: 'binary', maxLength: 3 }),
        fc.string({ maxLength: 20 }),
      ),
      maxLength: 6,
    })
    let refused = 0
    let sent = 0
    await fc.assert(
      fc.asyncProperty(word, fc.option(word), fc.option(word), async (data, event, id) => {
        const options = { ...(event === null ? {} : { event }), ...(id === null ? {} : { id }) }
        let result: string
        try {
          result = stream.send(data, options)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_HOLDFAST_INVALID_ARGUMENT' })
          expect(await text()).toBe('')
          refused++
          return
        }
        sent++
        expect(result).toBe('sent')
        const { events, retries } = parse(await text())
        expect(retries).toEqual([])
        expect(events).toEqual([
          {
            // There is one line break in an event stream, whichever was sent.
            data: data.replace(/\r\n|\r/g, '\n'),
            event: event === null || event === '' ? undefined : event,
            id: id ?? undefined,
          },
        ])
      }),
      { verbose: true, numRuns: 2000 },
    )
    expect(Math.min(refused, sent)).toBeGreaterThan(100)
  })

  it('refuses an event or id that would break its line, before anything is taken', async () => {
    const { stream, text } = wire()
    for (const bad of ['a\nb', 'a\rb', 'a\0b', '\ud800', 5]) {
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
