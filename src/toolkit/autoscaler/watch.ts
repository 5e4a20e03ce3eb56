import { notesOn, sumOf } from '../../model/cost.ts'
import type { JsonObject } from '../../model/json.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { isFinal, type OperationRecord } from '../../model/operation.ts'
import type { WatchDecision } from '../../model/watch.ts'
import type { ToolkitWatch, WatchContext, WatchOutcome } from '../contract.ts'
import { type Decision, decide, type History, type Readings, type Situation } from './decide.ts'
import { measuredReadings } from './measured.ts'
import { figuresOf, type Policy } from './schema.ts'
import { trafficMetrics, trafficReadings } from './traffic.ts'
import { machineReadings } from './usage.ts'

type Context = WatchContext<Policy>

/** What is kept between two looks. */
export interface AutoscalerState {
  /** Of the last decision. */
  size: number | null
  reason: string
  message: string
  /** A person has to look. */
  alert: boolean
  /** Milliseconds since 1970: when machines were last added and removed. */
  out: number | null
  in: number | null
  /** The change under way. */
  attempt?: { key: string; from: number; to: number }
  /** Changes that failed one after the other, and when the next may begin. */
  failures: number
  notBefore: number
}

const freshState: AutoscalerState = {
  size: null,
  reason: '',
  message: '',
  alert: false,
  out: null,
  in: null,
  failures: 0,
  notBefore: 0,
}

/** Key of the override that pauses it. */
export const pauseKey = 'pause'

/** Milliseconds until a rate is known. */
const firstRates = 5_000

/**
 * Milliseconds to a second look where more is wanted than at the look before. Load that came between two looks is in its rate in part
 * only: a change by it would be too small, and the next one would wait for the end of this.
 */
const secondLook = 1_000

/** Milliseconds from a failed change to the next try: doubling, from and to. */
const firstPause = 60_000
const longestPause = 1_800_000

export function readState(stored: JsonObject): AutoscalerState {
  return { ...freshState, ...(stored as unknown as Partial<AutoscalerState>) }
}

/** Decides by the figures at each look; a change of size is an operation like anybody's. */
export const watch: ToolkitWatch<Policy> = {
  interval: ({ interval }) => interval,

  async look(context) {
    const { spec, now } = context
    const stored = readState(context.state)
    const decisions: WatchDecision[] = []
    const readings = await readingsOf(context)
    if (context.operation) return undefined
    const state = await afterAttempt(context, stored, decisions)
    if (!readings) return { ...outcomeOf(context, state, decisions), again: firstRates }
    const size = context.components.find(({ name }) => name === spec.component)?.replicas ?? 0
    const situation = await situationOf(context, size, readings)
    const decision = decide(spec, situation, historyOf(context, state))
    context.memo.wanted = decision.history.wanted
    const grows = decision.reason === 'out'
    const isNew = grows && context.memo.grows !== true
    context.memo.grows = grows
    if (isNew && usesTraffic(spec)) return { ...outcomeOf(context, state, decisions), again: secondLook }
    if (decision.size !== size && now < state.notBefore) return outcomeOf(context, state, decisions)
    const isNews = decision.size !== size || decision.reason !== stored.reason
    if (!isNews) return outcomeOf(context, state, decisions)
    decisions.push({
      level: decision.alert ? 'alert' : 'info',
      message: decision.message,
      data: dataOf(decision, situation),
    })
    const { reason, message, alert } = decision
    const next: AutoscalerState = { ...state, size: decision.size, reason, message, alert }
    if (decision.size === size) return outcomeOf(context, next, decisions)
    const attempt = { key: `${size} ${decision.size} ${now}`, from: size, to: decision.size }
    return {
      ...outcomeOf(context, { ...next, attempt }, decisions),
      operation: { kind: 'scale', request: { scale: { [spec.component]: decision.size } }, key: attempt.key },
    }
  },

  concerns(stored, { component }) {
    const { alert, reason, message } = readState(stored)
    return alert ? [{ name: `autoscaler-${reason}`, level: 'alert', labels: { component }, message }] : []
  },
}

function outcomeOf({ state: before }: Context, state: AutoscalerState, decisions: WatchDecision[]): WatchOutcome {
  const json = state as unknown as JsonObject
  return { ...(JSON.stringify(json) !== JSON.stringify(before) && { state: json }), decisions }
}

/** Takes note of how the last change ended; cooldown and warm-up count from there. */
async function afterAttempt(
  { submitted, now }: Context,
  state: AutoscalerState,
  decisions: WatchDecision[],
): Promise<AutoscalerState> {
  const { attempt, ...rest } = state
  const operation = attempt && (await submitted(attempt.key))
  if (!attempt || (operation && !isFinal(operation.status))) return state
  if (operation?.status === 'succeeded') {
    const at = operation.finishedAt?.getTime() ?? now
    return { ...rest, failures: 0, notBefore: 0, ...(attempt.to > attempt.from ? { out: at } : { in: at }) }
  }
  const pause = Math.min(longestPause, firstPause * 2 ** state.failures)
  const message = `${attempt.from} -> ${attempt.to} machines ${whatOf(operation)}; the next try is in ${pause / 1000} s`
  decisions.push({ level: 'alert', message, data: { attempt: attempt.key, operation: operation?.id ?? null } })
  return { ...rest, reason: 'failed', message, alert: true, failures: state.failures + 1, notBefore: now + pause }
}

function whatOf(operation: OperationRecord | undefined): string {
  return operation ? `${operation.status}: ${operation.error?.message ?? 'no reason is known'}` : 'was never submitted'
}

function historyOf({ memo }: Context, state: AutoscalerState): History {
  return { wanted: (memo.wanted as History['wanted'] | undefined) ?? [], out: state.out, in: state.in }
}

/** undefined: rates are known from the next look on. */
async function readingsOf(context: Context): Promise<Readings | undefined> {
  const { spec, memo, rows, now } = context
  const asked = figuresOf(spec).map(({ name }) => name)
  const readings = await measuredReadings(context)
  if (usesTraffic(spec)) {
    const traffic = trafficReadings(await context.metrics(), spec.component, now, kept(memo, 'traffic'))
    if (!traffic) return undefined
    Object.assign(readings, traffic)
  }
  if (asked.includes('cpu') || asked.includes('memory')) {
    const own = rows.filter(({ component, status }) => component === spec.component && status === 'ready')
    const { cpu, memory } = await machineReadings(context, own, kept(memo, 'usage'))
    if (asked.includes('cpu') && !cpu) return undefined
    Object.assign(readings, { memory, ...(cpu && { cpu }) })
  }
  return readings
}

function usesTraffic(spec: Policy): boolean {
  return figuresOf(spec).some(({ name }) => trafficMetrics.includes(name))
}

function kept<T>(memo: Record<string, unknown>, name: string): Record<string, T> {
  memo[name] ??= {}
  return memo[name] as Record<string, T>
}

async function situationOf(context: Context, size: number, readings: Readings): Promise<Situation> {
  const { spec, rows, now, overrides, components } = context
  // What shares a machine is none of its own.
  const others = rows.filter(({ component, hostId }) => component !== spec.component && hostId === undefined)
  const guests = components.filter(({ placement }) => placement.with === spec.component)
  const own = rows.find(({ component }) => component === spec.component)
  return {
    now,
    size,
    readings,
    paused: overrides[pauseKey] !== undefined,
    others: others.length,
    carried: Math.max(0, ...guests.map(({ replicas }) => replicas)),
    costs: spec.maxMonthlyCost === undefined ? { unknown: 'nobody asks for it' } : await costsOf(context, own, others),
  }
}

async function costsOf(
  context: Context,
  own: MachineRecord | undefined,
  others: MachineRecord[],
): Promise<Situation['costs']> {
  if (!own) return { unknown: 'it has no machine yet' }
  const costOf = await context.costs()
  const [each, rest] = [costOf(own), others.map(costOf)]
  const { total } = sumOf([each, ...rest])
  const { total: ofOthers } = sumOf(rest)
  if (total !== null && ofOthers !== null) return { each: sumOf([each]).total ?? 0, others: ofOthers }
  return { unknown: notesOn([each, ...rest]).unknown.join('; ') }
}

function dataOf({ size, reason, inputs }: Decision, situation: Situation): JsonObject {
  return { from: situation.size, to: size, reason, inputs: inputs as unknown as JsonObject }
}
