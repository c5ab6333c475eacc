import { kDataBytes, markedData } from './event.mjs'

/** A masked text frame; the mask is one that changes nothing, which the server does not know. */
const kFrame = Buffer.concat([
  Buffer.from([0x81, 0x80 | kDataBytes, 0, 0, 0, 0]),
  Buffer.from(markedData(0)),
])
const kNumberAt = 7
const kDigits = 9

/** Sends numbered messages on each lane, and the next for each that came back. */
export class Echoes {
  #lanes
  #sent
  #last
  #open = 0
  #done = () => {}

  constructor(lanes) {
    this.#lanes = lanes
    this.#sent = new Array(lanes.length).fill(0)
    this.#last = 0
    for (const [index, lane] of lanes.entries()) {
      lane.onEvents = (count) => this.#back(index, lane, count)
    }
  }

  /** Resolves when `each` more of every lane are back, of which `inFlight` were on their way at most. */
  run(each, inFlight) {
    this.#last += each
    this.#open = this.#lanes.length
    const done = new Promise((resolve) => (this.#done = resolve))
    for (const [index, lane] of this.#lanes.entries()) this.#send(index, lane, inFlight)
    return done
  }

  #back(index, lane, count) {
    this.#send(index, lane, count)
    if (lane.finder.events === this.#last && --this.#open === 0) this.#done()
  }

  #send(index, lane, wanted) {
    const count = Math.min(wanted, this.#last - this.#sent[index])
    if (count === 0) return
    const bytes = Buffer.allocUnsafe(count * kFrame.length)
    for (let at = 0; at < bytes.length; at += kFrame.length) {
      kFrame.copy(bytes, at)
      let number = this.#sent[index]++
      for (let digit = at + kNumberAt + kDigits - 1; number > 0; digit--) {
        bytes[digit] = 48 + (number % 10)
        number = Math.floor(number / 10)
      }
    }
    lane.send(bytes)
  }
}
