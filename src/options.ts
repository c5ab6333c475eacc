import { availableParallelism } from 'node:os'
import { errorOfStatus, HoldfastError, status } from './errors.js'
import { policyIndex, slowPolicies, type SlowPolicy } from './slow-policy.js'

/** Settings of the whole process. The first thread that opens sets them. */
export interface ManagerOptions {
  /** Streams one thread may hold. Default 1,000,000. */
  maxStreamsPerWorker?: number
  /** Streams the process may hold. Default 4,000,000. */
  maxTotalStreams?: number
  /** How often each thread looks for streams past their time, in ms. Default 10,000. */
  cleanupIntervalMs?: number
  /** Close a stream after this long without a byte either way, in ms. Default 0: never. */
  idleTimeoutMs?: number
  /** Close a stream this long after it was registered, in ms. Default 0: never. */
  maxAgeMs?: number
  /** How often each HTTP/2 session is sent a PING, in ms. Default 30,000; 0: never. */
  pingIntervalMs?: number
  /** Destroy a session whose PING is not acknowledged within this time, in ms. Default 10,000. */
  pingTimeoutMs?: number
  /** Bytes taken by `send` for one stream and not yet taken by its socket. Default 1,048,576. */
  sendBudgetBytes?: number
  /**
   * The same for all streams of the process together. Default 268,435,456. When three quarters are
   * used, only streams with less than 16 KiB waiting still take messages.
   */
  maxQueuedBytes?: number
  /** What to do with a stream over its budget, where it says nothing itself. Default `drop`. */
  onSlow?: SlowPolicy
  /**
   * What speaks HTTP/2 on connections that `listen` accepts, where requests are taken by
   * `manager.on('stream')`: `native`, reactor threads of our own, or `node`, the accepted server of a
   * Node thread, which also serves where the other cannot run (`StreamManager.carriers()`). Default
   * `native`.
   */
  carrier?: CarrierName
  /**
   * How many reactor threads `native` has; 0: none, its sessions run in the event loops of the Node
   * threads, for machines without a core to spare. They start when a thread first listens to `stream`.
   * Default one fewer than processors, 1 to 64.
   */
  reactors?: number
  /** What all topics that `setTopic` keeps may take together, in bytes. Default 67,108,864. */
  maxReplayBytes?: number
}

/** In the order of native/core/options.h. */
export const carrierNames = ['node', 'native'] as const
export type CarrierName = (typeof carrierNames)[number]

interface Rule {
  readonly name: keyof ManagerOptions
  readonly initial: number
  readonly min: number
  readonly max: number
}

const kDay = 86_400_000
const kMostReactors = 64

/** In the order of native/core/options.h. */
export const optionRules: readonly Rule[] = [
  { name: 'maxStreamsPerWorker', initial: 1_000_000, min: 1, max: 2 ** 32 },
  { name: 'maxTotalStreams', initial: 4_000_000, min: 1, max: 2 ** 40 },
  { name: 'cleanupIntervalMs', initial: 10_000, min: 10, max: kDay },
  { name: 'idleTimeoutMs', initial: 0, min: 0, max: 365 * kDay },
  { name: 'maxAgeMs', initial: 0, min: 0, max: 365 * kDay },
  { name: 'pingIntervalMs', initial: 30_000, min: 0, max: kDay },
  { name: 'pingTimeoutMs', initial: 10_000, min: 10, max: kDay },
  { name: 'sendBudgetBytes', initial: 2 ** 20, min: 1024, max: 2 ** 30 },
  { name: 'maxQueuedBytes', initial: 2 ** 28, min: 2 ** 20, max: 2 ** 44 },
  { name: 'onSlow', initial: 0, min: 0, max: slowPolicies.length - 1 },
  {
    name: 'carrier',
    initial: carrierNames.indexOf('native'),
    min: 0,
    max: carrierNames.length - 1,
  },
  { name: 'reactors', initial: usualReactors(), min: 0, max: kMostReactors },
  { name: 'maxReplayBytes', initial: 2 ** 26, min: 0, max: 2 ** 44 },
]

function usualReactors(): number {
  return Math.min(kMostReactors, Math.max(1, availableParallelism() - 1))
}

/** The values for the native side, and which of them the caller gave (bit n: option n). */
export interface CheckedOptions {
  readonly values: Float64Array
  readonly explicit: number
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function checkOptions(options: ManagerOptions): CheckedOptions {
  requireKnown(
    'options',
    options,
    optionRules.map((rule) => rule.name),
  )
  const values = new Float64Array(optionRules.length)
  let explicit = 0
  optionRules.forEach(({ name, initial, min, max }, index) => {
    const value = optionNumber(options, name)
    if (value === undefined) {
      values[index] = initial
      return
    }
    values[index] = requireInteger(name, value, min, max)
    explicit |= 1 << index
  })
  return { values, explicit }
}

/** An option as the native side knows it. @throws ERR_HOLDFAST_INVALID_OPTION */
function optionNumber(options: ManagerOptions, name: keyof ManagerOptions): unknown {
  if (name === 'onSlow') {
    return options.onSlow === undefined ? undefined : policyIndex(options.onSlow)
  }
  return name === 'carrier' ? carrierIndex(options.carrier) : options[name]
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
function carrierIndex(carrier: unknown): number | undefined {
  if (carrier === undefined) return undefined
  const index = carrierNames.indexOf(carrier as CarrierName)
  if (index >= 0) return index
  throw new HoldfastError(
    'ERR_HOLDFAST_INVALID_OPTION',
    `carrier must be one of ${carrierNames.join(', ')}`,
  )
}

/** @throws ERR_HOLDFAST_OPTIONS_MISMATCH where a value is given that differs from the one in force */
export function requireSame(options: ManagerOptions, inForce: readonly number[]): void {
  optionRules.forEach(({ name }, index) => {
    const value = optionNumber(options, name)
    if (value !== undefined && value !== inForce[index]) throw errorOfStatus(status.optionsMismatch)
  })
}

/** @throws ERR_HOLDFAST_INVALID_OPTION for anything but a plain set of known names */
export function requireKnown(what: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== 'object' || value === null) {
    throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', `${what} must be an object`)
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) {
      throw new HoldfastError('ERR_HOLDFAST_INVALID_OPTION', `unknown option: ${name}`)
    }
  }
}

/** @throws ERR_HOLDFAST_INVALID_OPTION */
export function requireInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
    return value
  }
  throw new HoldfastError(
    'ERR_HOLDFAST_INVALID_OPTION',
    `${name} must be an integer from ${min} to ${max}`,
  )
}
