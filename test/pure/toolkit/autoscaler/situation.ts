import type { Reading, Situation } from '../../../../src/toolkit/autoscaler/decide.ts'

export const start = Date.UTC(2026, 5, 1, 6)
export const rps = 'requests-per-second-per-machine'

/** Two machines, of which nothing is known. */
export function situation(more: Partial<Situation> = {}): Situation {
  return { now: start, size: 2, paused: false, readings: {}, others: 2, costs: { unknown: 'nobody asks' }, ...more }
}

export const requests = (value: number, now = start): Record<string, Reading> => ({ [rps]: { value, at: now } })
