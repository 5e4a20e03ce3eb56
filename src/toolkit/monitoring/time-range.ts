import { z } from 'zod'
import { durationPattern, parseDuration } from '../../lib/duration.ts'
import type { QueryRange } from '../../lib/prometheus.ts'
import { KitbagError } from '../../model/errors.ts'
import type { JsonObject } from '../../model/json.ts'

/** As many values as Prometheus gives of one series. */
const mostSteps = 11_000

const duration = z.string().regex(durationPattern, 'must be a duration such as 30s, 15m or 1h')
const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-11-21T12:00:00Z' })

/** Query fields of reads that take a time: none of them asks for what is now. */
export const timeFields = {
  last: duration.optional().describe('Over this long up to now, such as 1h'),
  from: time.optional().describe('Instead of `last`: from this time'),
  to: time.optional().describe('To this time; default now'),
  step: duration.optional().describe('Between two values; default: a hundredth of the time, 15s at least'),
}

/** The time that a query asks for; undefined: now. Throws `invalid-request` for one that ends before it begins or has too many steps. */
export function rangeOf(query: JsonObject, now = Date.now()): QueryRange | undefined {
  const { last, from, to, step } = query as { last?: string; from?: string; to?: string; step?: string }
  if (last === undefined && from === undefined) return undefined
  const end = to === undefined ? now : Date.parse(to)
  const begin = from === undefined ? end - (parseDuration(last ?? '') ?? 0) : Date.parse(from)
  if (begin >= end) throw refused('from', 'the time begins where it ends, or after')
  const every = step === undefined ? Math.max(15_000, Math.round((end - begin) / 100)) : (parseDuration(step) ?? 0)
  if (every < 1 || (end - begin) / every > mostSteps) throw refused('step', `more than ${mostSteps} values`)
  return { from: begin, to: end, step: every }
}

function refused(path: string, message: string): KitbagError {
  return new KitbagError('invalid-request', `${path}: ${message}`, { problems: [{ path, message }] })
}
