import { mkdirSync } from 'node:fs'

/** Where control planes and machines of the benchmark keep their state: outside the clone, on the disk that real ones use. */
export function benchFolder(): string {
  const folder = '/var/lib/kitbag-bench'
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
