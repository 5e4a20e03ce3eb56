import { defaultTimings } from '../../../src/activities/deps.ts'
import { unitAttempts } from '../../../src/activities/run-unit.ts'
import { backoff, retry } from '../../../src/lib/retry.ts'
import type { UnitKind } from '../../../src/model/plan.ts'

/** Does something as often, and with such pauses, as an operation's unit does. */
export function asUnit<T>(kind: UnitKind, effect: () => Promise<T>): Promise<T> {
  return retry(effect, {
    attempts: unitAttempts[kind],
    delay: backoff(defaultTimings.retry, defaultTimings.retryMost),
  })
}
