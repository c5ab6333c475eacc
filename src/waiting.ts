import { HoldfastError, type HoldfastErrorCode } from './errors.js'

/** What became of a message that somebody waits for. In the order of native/core/ticket.h. */
export const outcomes = { taken: 0, gone: 1, dropped: 2 } as const
export type Outcome = (typeof outcomes)[keyof typeof outcomes]

/** Where a ticket's number, the part below the worker's, is cut in two words. */
const kLow = 2 ** 32
const kHighMask = 0xffff

interface Wait {
  readonly resolve: () => void
  readonly reject: (error: HoldfastError) => void
}

/** The messages this thread waits for, by the number of their ticket. */
export class Waiting {
  readonly #waits = new Map<number, Wait>()

  begin(number: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waits.set(number, { resolve, reject }))
  }

  end(low: number, high: number, outcome: number): void {
    const number = low + (high & kHighMask) * kLow
    const wait = this.#waits.get(number)
    this.#waits.delete(number)
    if (outcome === outcomes.taken) wait?.resolve()
    else wait?.reject(errorOf(outcome as Outcome))
  }

  /** The manager closes: nothing is heard of them any more. */
  abandon(): void {
    for (const { reject } of this.#waits.values()) reject(new HoldfastError('ERR_HOLDFAST_CLOSED'))
    this.#waits.clear()
  }
}

const codes: Readonly<Record<Outcome, HoldfastErrorCode>> = {
  [outcomes.taken]: 'ERR_HOLDFAST_SYSTEM',
  [outcomes.gone]: 'ERR_HOLDFAST_GONE',
  [outcomes.dropped]: 'ERR_HOLDFAST_DROPPED',
}

export function errorOf(outcome: Outcome): HoldfastError {
  return new HoldfastError(codes[outcome])
}
