import { existsSync, readFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/** Longer than any test or hook may take (vitest.config.ts): who is silent for so long is past its own timeout. Milliseconds. */
const silence = 12 * 60_000

/**
 * Ends workers that hang: no timeout of a test reaches a process that waits in its own code for ever (Node does, rarely, when it
 * compiles in the background: nodejs/node#54918). Their files count as failed, and the others go on.
 */
export class StallGuard implements Reporter {
  private readonly running = new Map<string, string>()
  private heard = Date.now()
  private watch: NodeJS.Timeout | undefined

  onTestRunStart(): void {
    this.watch = setInterval(() => this.look(), 10_000)
  }

  onTestModuleStart({ relativeModuleId }: TestModule): void {
    this.note(relativeModuleId, 'its start')
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.heard = Date.now()
    this.running.delete(relativeModuleId)
  }

  onTestModuleQueued(): void {
    this.heard = Date.now()
  }

  onTestCaseReady({ module, fullName }: { module: TestModule; fullName: string }): void {
    this.note(module.relativeModuleId, fullName)
  }

  onTestCaseResult({ module, fullName }: { module: TestModule; fullName: string }): void {
    this.note(module.relativeModuleId, `after ${fullName}`)
  }

  onTestRunEnd(): void {
    clearInterval(this.watch)
  }

  private note(file: string, step: string): void {
    this.heard = Date.now()
    this.running.set(file, step)
  }

  private look(): void {
    if (Date.now() - this.heard < silence) return
    this.heard = Date.now()
    const where = [...this.running].map(([file, step]) => `${file} (${step})`)
    console.error(`stalled: nothing heard for ${silence / 60_000} minutes; ended: ${where.join(', ') || 'workers'}`)
    for (const pid of workers()) process.kill(pid, 'SIGKILL')
  }
}

/** Processes that vitest started to run files in. Linux tells them; elsewhere there are none to end. */
function workers(): number[] {
  const children = `/proc/${process.pid}/task/${process.pid}/children`
  if (!existsSync(children)) return []
  const pids = readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number)
  return pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('vitest'))
}
