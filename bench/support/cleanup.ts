import { say } from './say.ts'

/** What has to be undone, whatever happens: the newest first, each once, and a failure of one does not keep the others from it. */
export interface Cleanup {
  add(name: string, undo: () => Promise<void> | void): void
  run(): Promise<void>
}

export function createCleanup(): Cleanup {
  const undos: { name: string; undo: () => Promise<void> | void }[] = []
  let running: Promise<void> | undefined

  async function undoAll(): Promise<void> {
    for (let next = undos.pop(); next; next = undos.pop()) {
      try {
        await next.undo()
      } catch (error) {
        say(`   clean-up: ${next.name}: ${error instanceof Error ? error.message : error}`)
        process.exitCode = 1
      }
    }
  }

  return {
    add: (name, undo) => undos.push({ name, undo }),
    run() {
      running ??= undoAll().finally(() => {
        running = undefined
      })
      return running
    },
  }
}
