/** What a client may say at once, and then how often. */
const kBurst = 8
const kEveryMs = 750
// A power of two. Two clients that share a slot share its rate, which is why there are many.
const kSlots = 1 << 16

/**
 * How often each client may speak, for all threads together: a client's requests may reach any of
 * them. Each slot holds when the client has used up what it has said (GCRA), in ms since the epoch.
 * Threads: any; the slots are atomic.
 */
export class RateLimit {
  readonly #slots: BigInt64Array

  constructor(memory: SharedArrayBuffer) {
    this.#slots = new BigInt64Array(memory)
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(kSlots * BigInt64Array.BYTES_PER_ELEMENT)
  }

  /** Whether `person` may speak now; counted if so. */
  take(person: string, now = Date.now()): boolean {
    const slot = slotOf(person)
    for (;;) {
      const before = Atomics.load(this.#slots, slot)
      const usedUpAt = Math.max(Number(before), now) + kEveryMs
      if (usedUpAt - now > kBurst * kEveryMs) return false
      const after = BigInt(usedUpAt)
      if (Atomics.compareExchange(this.#slots, slot, before, after) === before) return true
    }
  }
}

/** FNV-1a. */
function slotOf(person: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < person.length; i++) {
    hash = Math.imul(hash ^ person.charCodeAt(i), 0x01000193)
  }
  return (hash ^ (hash >>> 16)) & (kSlots - 1)
}
