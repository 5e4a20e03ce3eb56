import { mkdirSync, readdirSync, rmdirSync } from 'node:fs'

/** Where control planes and machines of the benchmark keep their state: outside the clone, on the disk that real ones use. */
const folder = '/var/lib/kitbag-bench'

export function benchFolder(): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Unless something is left in it: of another benchmark that runs, or of one that was killed. */
export function removeBenchFolder(): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}
