import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Prints the reason of every skip and closes with the line `N passed, N failed, N skipped`. */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) this.count(test, counts)
    }
    console.log(
      `\n${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
    )
  }

  private count(test: TestCase, counts: { passed: number; failed: number; skipped: number }): void {
    const result = test.result()
    if (result.state === 'pending') return
    counts[result.state]++
    if (result.state !== 'skipped') return
    // A suite that cannot run here, or a part that a driver is excused from, has its reason in its name.
    const reason = result.note ?? /\((.+)\)/.exec(test.fullName)?.[1] ?? 'no reason given'
    console.log(`skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${reason}`)
  }
}
