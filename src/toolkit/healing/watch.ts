import { sleep } from '../../lib/clock.ts'
import type { JsonObject } from '../../model/json.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { isFinal } from '../../model/operation.ts'
import type { Concern, ToolkitWatch, WatchContext, WatchOutcome } from '../contract.ts'
import { type Circumstances, decide, type Finding, freshState, type HealingState } from './decide.ts'
import type { HealingSpec } from './schema.ts'

type Context = WatchContext<HealingSpec>

/** Milliseconds between two looks while a machine is not well: its patience is counted from here. */
const closeLook = 2_000

/** Asks every machine whether it is well, and submits one operation for those that have been dead for too long. */
export const watch: ToolkitWatch<HealingSpec> = {
  interval: ({ interval }) => interval,

  async look(context) {
    const before = readState(context.state)
    // What machines are like now is the operation's business; what is still dead after it is counted anew.
    if (context.operation)
      return Object.keys(before.suspects).length > 0 ? { state: toJson({ ...before, suspects: {} }) } : undefined
    const circumstances = await circumstancesOf(context, before)
    const { state, decisions, replace } = decide(context.spec, before, circumstances)
    const again = Object.keys(state.suspects).length > 0 ? { again: closeLook } : {}
    if (replace.length > 0 && state.attempt) {
      const operation = { kind: 'heal' as const, request: { lost: replace }, key: state.attempt.key }
      return { state: toJson(state), decisions, operation, ...again }
    }
    const behind = behindOf(context, state)
    const next = behind ? { ...state, levelledAt: context.now } : state
    const isSame = JSON.stringify(next) === JSON.stringify(before)
    return { ...(!isSame && { state: toJson(next) }), decisions, ...again, ...behind }
  },

  dead,

  concerns: (stored) =>
    Object.entries(readState(stored).alerts).map(([subject, message]) => ({
      ...concernOf(subject),
      level: 'alert',
      message,
    })),
}

/** By what an alert is about: `machine db-1`, `component web`, `deployment`, `cloud`, `attempt`. */
function concernOf(subject: string): Pick<Concern, 'name' | 'labels'> {
  const [about, which] = subject.split(' ', 2)
  if (about === 'attempt') return { name: 'healing-failed', labels: {} }
  if (about === 'machine' && which !== undefined) return { name: 'machine-with-data-dead', labels: { machine: which } }
  return { name: 'healing-stopped', labels: about === 'component' && which !== undefined ? { component: which } : {} }
}

/** Milliseconds between two tries to bring nodes level. */
const levelPause = 60_000

/** A push for a service with a node that is well and was away when something was changed, or was cut off in the middle of it. */
function behindOf(
  { rows, components, now }: Context,
  { suspects, levelledAt = 0 }: HealingState,
): Pick<WatchOutcome, 'operation'> | undefined {
  if (now - levelledAt < levelPause) return undefined
  const services = new Set(components.filter(({ service }) => service !== undefined).map(({ name }) => name))
  const behind = rows.find(
    ({ id, component, status, configureDigest }) =>
      services.has(component) && status === 'ready' && configureDigest === null && suspects[id] === undefined,
  )
  if (!behind) return undefined
  return { operation: { kind: 'push', request: { service: behind.component }, key: `level ${behind.id} ${now}` } }
}

/** Looks until each machine that does not answer has answered, or has been silent for its time. */
async function dead(context: Context): Promise<string[]> {
  let { attempt: _, ...state } = readState(context.state)
  for (;;) {
    const { findings, away } = await circumstancesOf(context, state)
    // One that answers can be changed, and the change may be what makes it well.
    const silent = findings.map((one) => (one.condition === 'unhealthy' ? { ...one, condition: 'well' as const } : one))
    const healing = decide(context.spec, state, { findings: silent, away, now: Date.now() })
    if (healing.replace.length > 0) return healing.replace
    state = healing.state
    const waiting = Object.values(state.suspects).some(({ since }) => Date.now() - since < context.spec.after)
    if (!waiting) return []
    await sleep(closeLook, context.signal)
  }
}

/** State as it was stored; what an older Kitbag stored is completed. */
export function readState(stored: JsonObject): HealingState {
  return { ...freshState, ...(stored as unknown as Partial<HealingState>) }
}

function toJson(state: HealingState): JsonObject {
  return state as unknown as JsonObject
}

async function circumstancesOf(context: Context, { attempt }: HealingState): Promise<Circumstances> {
  const { rows, spec, now } = context
  const away = new Set<string>()
  const watched = rows.filter(
    ({ status, releaseNumber }) =>
      releaseNumber !== null && (status === 'ready' || status === 'installed' || status === 'lost'),
  )
  const machines = watched.filter(({ hostId }) => hostId === undefined)
  const findings = await Promise.all(
    machines.flatMap((row) => {
      const sharers = [row, ...watched.filter(({ hostId }) => hostId === row.id)]
      const isOurs = sharers.some(({ component }) => spec.components?.includes(component) ?? true)
      return isOurs ? [findAll(context, sharers, away)] : []
    }),
  )
  const operation = attempt && (await context.submitted(attempt.key))
  const { status } = operation ?? {}
  const isOver = status !== undefined && isFinal(status)
  const ended = isOver && { status: status as 'succeeded', message: operation?.error?.message ?? '' }
  return { findings, away: [...away], now, ...(ended && { ended }) }
}

/** A machine is as well as the worst of what is on it, and holds data where any of that does: it is replaced whole. */
async function findAll(context: Context, [row, ...guests]: MachineRecord[], away: Set<string>): Promise<Finding> {
  if (!row) throw new Error('a machine with nothing on it')
  const own = await find(context, row, away)
  const stateful = own.stateful || guests.some((guest) => guest.stateful)
  if (own.condition !== 'well') return { ...own, stateful }
  const others = await Promise.all(guests.map((guest) => find(context, guest, away)))
  const ill = others.find(({ condition }) => condition !== 'well')
  if (!ill) return { ...own, stateful }
  return { ...own, stateful, condition: ill.condition, detail: `${ill.machine} on it: ${ill.detail}` }
}

async function find(context: Context, row: MachineRecord, away: Set<string>): Promise<Finding> {
  const { id, name: machine, component, stateful, status } = row
  const found = { id, machine, component, stateful }
  if (status === 'lost') return { ...found, condition: 'lost', detail: 'it was given up before' }
  const { ok, reached, detail } = await context.probe(row)
  if (ok) return { ...found, condition: 'well', detail }
  if (reached) return { ...found, condition: 'unhealthy', detail }
  try {
    const said = await context.atCloud(row)
    if (said === 'absent') return { ...found, condition: 'deleted', detail: 'its cloud has no such machine any more' }
    if (said === 'stopped') return { ...found, condition: 'stopped', detail: 'its cloud says that it is stopped' }
  } catch (error) {
    away.add((error as Error).message)
  }
  return { ...found, condition: 'silent', detail }
}
