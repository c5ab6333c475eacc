import type { ManagerOptions, SendResult } from '../../dist/index.js'

/** What carries HTTP/2 in these tests: the project `native-carrier` runs some of them once more. */
export const isNative = process.env['HOLDFAST_CARRIER'] === 'native'

export const carrierOptions: ManagerOptions = isNative
  ? { carrier: 'native', reactors: 1 }
  : { carrier: 'node' }

/** What `send` answers where it took a message for a stream that the thread handles. */
export const taken: SendResult = isNative ? 'queued' : 'sent'
