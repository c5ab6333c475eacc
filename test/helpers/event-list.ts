import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** The events in the text of an event stream, as a client reads them. */
export function eventsIn(text: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = []
  createParser({ onEvent: (event) => events.push(event) }).feed(text)
  return events
}

/** The number in the id of a message of a kept topic. */
export function numberIn(id: string | undefined): number {
  return Number(/^[0-9a-f]{12}-(\d+)$/.exec(id ?? '')?.[1])
}
