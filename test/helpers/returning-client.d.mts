/** A client of one event stream that goes and comes back, and minds the numbers of what it gets. */
export declare class ReturningClient {
  constructor(port: number)
  /** The number and the data of the message it has got last. */
  readonly last: number
  readonly data: string
  readonly received: number
  /** What came again, or out of order. */
  readonly twice: number
  /** Holes without a gap mark. */
  readonly missed: number
  /** Holes to which more was added between their mark and the first message behind it. */
  readonly grown: number
  /** Gap marks, and those where nothing was missing, or not at the beginning of a connection. */
  readonly gaps: number
  readonly idleGaps: number
  readonly returns: number
  /** Those it came to. */
  readonly threads: ReadonlySet<string>
  /** Connects, anew and to whichever thread; resolves when that has made it a member. */
  connect(): Promise<void>
  leave(): Promise<void>
  comeBack(): Promise<void>
}
