import type { Log } from '../lib/log.ts'

/** What has been started, to be ended in reverse order. */
export interface Stops {
  add(name: string, stop: () => Promise<void>, failed?: Promise<never>): void
  failures(): Promise<never>[]
  /** Ends everything; what fails to end is logged and the rest ended nevertheless. Again: the same ending. */
  run(): Promise<void>
}

export function createStops(log: Log): Stops {
  const started: { name: string; stop: () => Promise<void> }[] = []
  const failures: Promise<never>[] = []
  let ending: Promise<void> | undefined

  async function end(): Promise<void> {
    for (const { name, stop } of started.reverse()) {
      try {
        await stop()
      } catch (error) {
        log.warn(`${name} did not end well`, { error })
      }
    }
  }

  return {
    add(name, stop, failed) {
      started.push({ name, stop })
      if (failed) failures.push(failed)
    },
    failures: () => failures,
    run() {
      ending ??= end()
      return ending
    },
  }
}
