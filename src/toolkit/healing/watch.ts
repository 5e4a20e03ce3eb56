import type { JsonObject } from '../../model/json.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { isFinal } from '../../model/operation.ts'
import type { ToolkitWatch, WatchContext } from '../contract.ts'
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
    const isSame = JSON.stringify(state) === JSON.stringify(before)
    const again = Object.keys(state.suspects).length > 0 ? { again: closeLook } : {}
    return {
      ...(!isSame && { state: toJson(state) }),
      decisions,
      ...(replace.length > 0 &&
        state.attempt && {
          operation: { kind: 'heal' as const, request: { lost: replace }, key: state.attempt.key },
        }),
      ...again,
    }
  },
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
    ({ component, status, releaseNumber }) =>
      (spec.components?.includes(component) ?? true) &&
      releaseNumber !== null &&
      (status === 'ready' || status === 'installed' || status === 'lost'),
  )
  const findings = await Promise.all(watched.map((row) => find(context, row, away)))
  const operation = attempt && (await context.submitted(attempt.key))
  const { status } = operation ?? {}
  const isOver = status !== undefined && isFinal(status)
  const ended = isOver && { status: status as 'succeeded', message: operation?.error?.message ?? '' }
  return { findings, away: [...away], now, ...(ended && { ended }) }
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
