const kMark = '<'.charCodeAt(0)
const kDigits = 9

/** Finds the events of event.mjs's `markedData` in a stream of bytes, and that they come in order. */
export class EventFinder {
  events = 0
  /** All that was taken, whatever it was. */
  bytes = 0
  #rest = Buffer.alloc(0)

  /** False if an event is not the one that is next. */
  take(arrived) {
    this.bytes += arrived.length
    const bytes = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived])
    let inOrder = true
    let at = bytes.indexOf(kMark)
    while (at >= 0 && at + kDigits < bytes.length) {
      let number = 0
      for (let i = at + 1; i <= at + kDigits; i++) number = number * 10 + bytes[i] - 48
      if (number !== this.events) inOrder = false
      this.events++
      at = bytes.indexOf(kMark, at + kDigits)
    }
    this.#rest = at < 0 ? Buffer.alloc(0) : bytes.subarray(at)
    return inOrder
  }
}
