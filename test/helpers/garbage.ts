import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from './wait.js'

/** Until nothing holds it any more; fails like `until`. */
export async function collected(ref: WeakRef<object>): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await until('it is collected', () => {
    collect()
    return ref.deref() === undefined
  })
}
