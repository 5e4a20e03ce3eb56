import type { UnitSkeleton } from '../model/plan.ts'

export interface InterpretOptions {
  /** Units that run at the same time, at most. */
  limit: number
  /** Runs one unit; never rejects. `interrupted`: cancelled underway. */
  run(unit: UnitSkeleton): Promise<'done' | 'failed' | 'interrupted'>
  /** Asked before each start; false: nothing more starts, what runs is awaited. */
  mayStart(running: number): boolean
  /** `stop`: after a failure nothing more starts (the plan's main stage). `go-on`: all that still makes sense runs (undo). */
  onFailure: 'stop' | 'go-on'
}

export interface Interpretation {
  failed: UnitSkeleton[]
  /** Not run, because what they build on failed on the same machine. */
  skipped: UnitSkeleton[]
  /** Left over: interrupted, or not begun because nothing more was to start. */
  unfinished: number
}

/**
 * Runs units as a DAG: each starts the moment its needs are done, in the plan's order among those that are ready. Needs that are
 * not among the units were done before. Deterministic: no clock, no random, only the promises of `run`.
 */
export function interpret(units: UnitSkeleton[], options: InterpretOptions): Promise<Interpretation> {
  const ids = new Set(units.map((unit) => unit.id))
  const waitsFor = new Map(units.map((unit) => [unit.id, new Set(unit.needs.filter((need) => ids.has(need)))]))
  const dependents = dependentsOf(units, ids)
  const ready = units.filter((unit) => waitsFor.get(unit.id)?.size === 0)
  const broken = new Map<string, UnitSkeleton>()
  const failed: UnitSkeleton[] = []
  const skipped: UnitSkeleton[] = []
  let running = 0
  let done = 0
  let next = 0

  return new Promise((resolve) => {
    const settle = (unit: UnitSkeleton) => {
      for (const dependent of dependents.get(unit.id) ?? []) {
        const left = waitsFor.get(dependent.id)
        left?.delete(unit.id)
        if (left?.size === 0) ready.push(dependent)
      }
    }
    const start = (unit: UnitSkeleton) => {
      running++
      void options.run(unit).then((outcome) => {
        running--
        if (outcome === 'done') done++
        if (outcome === 'failed') {
          failed.push(unit)
          broken.set(unit.id, unit)
        }
        if (outcome === 'done' || (outcome === 'failed' && options.onFailure === 'go-on')) settle(unit)
        pump()
      })
    }
    const pump = () => {
      while (next < ready.length && running < options.limit) {
        if (failed.length > 0 && options.onFailure === 'stop') break
        if (!options.mayStart(running)) break
        const unit = ready[next++] as UnitSkeleton
        if (cannotSucceed(unit, broken)) {
          skipped.push(unit)
          broken.set(unit.id, unit)
          settle(unit)
        } else start(unit)
      }
      if (running === 0) resolve({ failed, skipped, unfinished: units.length - done - failed.length - skipped.length })
    }
    pump()
  })
}

function dependentsOf(units: UnitSkeleton[], ids: Set<string>): Map<string, UnitSkeleton[]> {
  const dependents = new Map<string, UnitSkeleton[]>()
  for (const unit of units) {
    for (const need of new Set(unit.needs)) {
      if (!ids.has(need)) continue
      const list = dependents.get(need)
      if (list) list.push(unit)
      else dependents.set(need, [unit])
    }
  }
  return dependents
}

/** After a failure that was passed over: a machine that could not be made or set up is neither set up further nor given traffic. */
function cannotSucceed(unit: UnitSkeleton, broken: Map<string, UnitSkeleton>): boolean {
  if (unit.kind === 'destroy' || unit.kind === 'forget') return false
  return unit.needs.some((id) => {
    const need = broken.get(id)
    return need !== undefined && buildsOn.has(need.kind) && machineOf(need) === machineOf(unit)
  })
}

const buildsOn = new Set<string>(['create', 'install', 'configure', 'ready'])

/** Unit ids begin with the machine's name: `web-1/install`. */
function machineOf(unit: UnitSkeleton): string {
  return unit.id.split('/', 1)[0] ?? unit.id
}
