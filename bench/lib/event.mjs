/** The bytes of one event on the wire, of which the first are `data: ` and its number. */
export const kEventBytes = 64

const kDigits = 10
const kBefore = 'data: '.length
const kRest = 'x'.repeat(kEventBytes - kBefore - kDigits - 2)

/** What is sent as the data of event `number`. */
export function eventData(number) {
  return String(number).padStart(kDigits, '0') + kRest
}

/** What that looks like on the wire. */
export function eventBytes(number) {
  return Buffer.from(`data: ${eventData(number)}\n\n`)
}

/** The number of the event that begins at `at`. */
export function numberAt(bytes, at) {
  let number = 0
  for (let i = at + kBefore; i < at + kBefore + kDigits; i++) number = number * 10 + bytes[i] - 48
  return number
}

/** The same many bytes of data with a mark in front, for streams that frame events in other ways. */
export function markedData(number) {
  return `<${eventData(number).slice(1)}`
}

/** How many those are. */
export const kDataBytes = markedData(0).length
