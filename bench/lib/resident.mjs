import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

/** Resident anonymous memory, and the part of it that is V8's heap: the rest is native. For --expose-gc. */
export async function residentMemory() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { used_heap_size: heap, total_physical_size: heapResident } = getHeapStatistics()
  const anonymous = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return { heap, native: Number(anonymous[1]) * 1024 - heapResident }
}
