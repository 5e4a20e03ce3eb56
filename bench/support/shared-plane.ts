import type { Bench } from './bench.ts'
import { createCleanup } from './cleanup.ts'
import { type Plane, startPlane } from './plane.ts'

/** The control plane that families share, started when the first asks for it. */
export function createSharedPlane(): Pick<Bench, 'plane' | 'endPlane'> {
  const cleanup = createCleanup()
  let started: Promise<Plane> | undefined

  async function start(): Promise<Plane> {
    const plane = await startPlane(cleanup)
    await plane.kitbag(['cloud', 'add', 'home', '--provider', 'local'])
    return plane
  }

  return {
    plane() {
      started ??= start()
      return started
    },
    async endPlane() {
      // What is just starting is ended too.
      await started?.catch(() => undefined)
      started = undefined
      await cleanup.run()
    },
  }
}
