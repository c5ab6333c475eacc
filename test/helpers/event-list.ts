import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** The events in the text of an event stream, as a client reads them. */
export function eventsIn(text: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = []
  createParser({ onEvent: (event) => events.push(event) }).feed(text)
  return events
}
