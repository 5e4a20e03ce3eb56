import type { JsonObject } from '../../model/json.ts'
import type { WatchDecision } from '../../model/watch.ts'
import type { HealingSpec } from './schema.ts'

/**
 * - `unhealthy`: it answers, and its component's health check fails
 * - `silent`: it does not answer SSH
 * - `stopped`, `deleted`: its cloud says so
 * - `lost`: it was given up before, and could not be replaced yet
 */
export type Condition = 'well' | 'unhealthy' | 'silent' | 'stopped' | 'deleted' | 'lost'

/** One machine as it was found. */
export interface Finding {
  id: string
  machine: string
  component: string
  stateful: boolean
  condition: Condition
  detail: string
}

export interface Suspect {
  machine: string
  component: string
  condition: Condition
  detail: string
  /** Milliseconds since 1970. */
  since: number
}

/** What is kept between two looks. */
export interface HealingState {
  /** Machine id -> since when it is not well. */
  suspects: Record<string, Suspect>
  /** Replacements that were begun, the newest last. */
  replaced: { component: string; at: number }[]
  /** What a person was told of and is not over: subject -> message. */
  alerts: Record<string, string>
  /** The replacement under way, or the last one. */
  attempt?: { key: string; lost: string[]; at: number }
  /** Attempts that failed one after the other, and when the next may begin. */
  failures: number
  notBefore: number
  /** When nodes that had been away were last brought level. */
  levelledAt?: number
}

export const freshState: HealingState = { suspects: {}, replaced: [], alerts: {}, failures: 0, notBefore: 0 }

export interface Circumstances {
  findings: Finding[]
  /** Clouds that do not answer, in their words. */
  away: string[]
  /** How the last attempt ended, when it has. */
  ended?: { status: 'succeeded' | 'failed' | 'cancelled'; message: string }
  now: number
}

export interface Healing {
  state: HealingState
  decisions: WatchDecision[]
  /** Ids of machines to replace now. */
  replace: string[]
}

/** A machine that answers has so many times as long: its application may be overloaded, and then one machine less makes it worse. */
const unhealthyPatience = 4

/** Milliseconds from a failed attempt to the next: doubling, from and to. */
const firstPause = 60_000
const longestPause = 1_800_000

/** What to do about machines that are not well. Pure: the same findings at the same time give the same answer. */
export function decide(spec: HealingSpec, before: HealingState, circumstances: Circumstances): Healing {
  const { findings, now } = circumstances
  const decisions: WatchDecision[] = []
  const { attemptAlert, ...told } = afterAttempt(before, circumstances, decisions)
  const suspects = suspectsOf(before, findings, now, decisions)
  const due = findings.filter((finding) => isDue(spec, suspects[finding.id], now))
  const alerts: Record<string, string> = {}
  if (attemptAlert !== undefined && due.length > 0 && told.failures > 0) alerts.attempt = attemptAlert
  for (const { machine, detail } of due.filter(({ stateful }) => stateful))
    alerts[`machine ${machine}`] =
      `${machine} is dead (${detail}) and holds data: it is not replaced by an empty one. Look after it, or give its data up: kitbag heal`
  const candidates = due.filter(({ stateful }) => !stateful)
  const allowed = candidates.length === 0 ? [] : permitted(spec, before, circumstances, suspects, candidates, alerts)
  // One attempt at a time: what became of the last one is known first.
  const replace = now < told.notBefore || told.attempt ? [] : allowed
  tellAlerts({ ...before.alerts, ...(attemptAlert !== undefined && { attempt: attemptAlert }) }, alerts, decisions)
  if (replace.length > 0) {
    const names = replace.map(({ machine, condition, detail }) => `${machine} (${condition}: ${detail})`)
    decisions.push({ level: 'warn', message: `replacing ${names.join(', ')}`, data: dataOf(replace, suspects) })
  }
  const replaced = [
    ...before.replaced.filter(({ at }) => at > now - spec.flapping.within),
    // One that is tried again was counted before.
    ...replace.filter(({ condition }) => condition !== 'lost').map(({ component }) => ({ component, at: now })),
  ]
  const ids = replace.map(({ id }) => id).sort()
  return {
    state: {
      ...(before.levelledAt !== undefined && { levelledAt: before.levelledAt }),
      ...told,
      suspects,
      alerts,
      replaced,
      ...(ids.length > 0 && { attempt: { key: `${ids.join(' ')} ${now}`, lost: ids, at: now } }),
    },
    decisions,
    replace: ids,
  }
}

/** Takes note of how the last attempt ended. */
function afterAttempt(before: HealingState, { ended, now }: Circumstances, decisions: WatchDecision[]) {
  const { attempt, failures, notBefore, alerts } = before
  if (!attempt || !ended) return { failures, notBefore, attemptAlert: alerts.attempt, ...(attempt && { attempt }) }
  const data = { attempt: attempt.key, status: ended.status }
  if (ended.status === 'succeeded') {
    decisions.push({ level: 'info', message: 'replaced', data })
    return { failures: 0, notBefore: 0, attemptAlert: alerts.attempt }
  }
  const pause = Math.min(longestPause, firstPause * 2 ** failures)
  const message = `the replacement ${ended.status}: ${ended.message}; the next try is in ${pause / 1000} s`
  decisions.push({ level: 'alert', message, data })
  return { failures: failures + 1, notBefore: now + pause, attemptAlert: message }
}

function suspectsOf(
  before: HealingState,
  findings: Finding[],
  now: number,
  decisions: WatchDecision[],
): Record<string, Suspect> {
  const suspects: Record<string, Suspect> = {}
  for (const { id, machine, component, condition, detail } of findings) {
    const known = before.suspects[id]
    if (condition === 'well') {
      if (known) decisions.push({ level: 'info', message: `${machine} is well again`, data: { machine } })
      continue
    }
    if (known?.condition === condition) {
      suspects[id] = known
      continue
    }
    const suspect = { machine, component, condition, detail, since: known?.since ?? now }
    suspects[id] = suspect
    const data = { machine, condition, detail, since: suspect.since }
    decisions.push({ level: 'warn', message: `${machine} is ${condition}: ${detail}`, data })
  }
  return suspects
}

function isDue({ after }: HealingSpec, suspect: Suspect | undefined, now: number): boolean {
  if (!suspect) return false
  const { condition, since } = suspect
  if (condition === 'deleted' || condition === 'lost') return true
  return now - since >= after * (condition === 'unhealthy' ? unhealthyPatience : 1)
}

/** Those that may be replaced; why the others may not becomes an alert. */
function permitted(
  spec: HealingSpec,
  before: HealingState,
  { findings, away, now }: Circumstances,
  suspects: Record<string, Suspect>,
  candidates: Finding[],
  alerts: Record<string, string>,
): Finding[] {
  if (away.length > 0) {
    alerts.cloud = `nothing is replaced while its cloud does not answer: ${away.join('; ')}`
    return []
  }
  const dead = (of: Finding[]) => of.filter(({ id }) => suspects[id] !== undefined).length
  const most = (of: Finding[]) => Math.max(1, Math.floor(of.length * spec.atOnce))
  if (dead(findings) > most(findings)) {
    alerts.deployment = `${dead(findings)} of ${findings.length} machines are not well at once: that is more than a machine's own failure, so none is replaced`
    return []
  }
  return candidates.filter(({ component, condition }) => {
    const own = findings.filter((finding) => finding.component === component)
    if (dead(own) > most(own)) {
      alerts[`component ${component}`] =
        `${dead(own)} of ${own.length} machines of ${component} are not well at once: none is replaced`
      return false
    }
    const recent = before.replaced.filter((one) => one.component === component && one.at > now - spec.flapping.within)
    if (condition === 'lost' || recent.length < spec.flapping.replacements) return true
    alerts[`component ${component}`] =
      `${recent.length} machines of ${component} were replaced within ${spec.flapping.within / 1000} s: the next is left to a person`
    return false
  })
}

function tellAlerts(before: Record<string, string>, now: Record<string, string>, decisions: WatchDecision[]): void {
  for (const [subject, message] of Object.entries(now))
    if (before[subject] === undefined) decisions.push({ level: 'alert', message, data: { subject } })
  for (const subject of Object.keys(before))
    if (now[subject] === undefined)
      decisions.push({ level: 'info', message: `over: ${before[subject]}`, data: { subject } })
}

function dataOf(replace: Finding[], suspects: Record<string, Suspect>): JsonObject {
  const since = ({ id }: Finding) => suspects[id]?.since ?? 0
  return {
    machines: replace.map((finding) => ({
      machine: finding.machine,
      condition: finding.condition,
      detail: finding.detail,
      since: since(finding),
    })),
  }
}
