import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

/** Resident anonymous memory, when V8 has collected its garbage. For --expose-gc. */
export async function residentBytes() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const anonymous = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(anonymous[1]) * 1024
}

/** V8's heap that is in use, and what is resident beside V8's. For --expose-gc. */
export async function residentMemory() {
  const bytes = await residentBytes()
  const { used_heap_size: heap, total_physical_size: heapResident } = getHeapStatistics()
  return { heap, native: bytes - heapResident }
}
