import type { Unit, UnitKind } from '../model/plan.ts'

/** Collects units; needs may name units that are added later, and those that never are fall out at the end. */
export class UnitList {
  readonly #units = new Map<string, Unit>()
  readonly #needs = new Map<string, Set<string>>()
  readonly #byComponent = new Map<string, Unit[]>()

  /** Adds a unit unless it is there; gives its id. */
  add(
    kind: UnitKind,
    target: { component: string; machine: string },
    reason: string,
    more: Partial<Unit> = {},
  ): string {
    const id = more.id ?? unitId(kind, target.machine, more.service)
    if (this.#units.has(id)) return id
    const unit = { kind, ...target, needs: [], reason, ...more, id }
    this.#units.set(id, unit)
    const key = `${kind} ${target.component}`
    const others = this.#byComponent.get(key)
    if (others) others.push(unit)
    else this.#byComponent.set(key, [unit])
    return id
  }

  get(id: string): Unit | undefined {
    return this.#units.get(id)
  }

  has(id: string): boolean {
    return this.#units.has(id)
  }

  need(id: string, needs: Iterable<string>): void {
    if (!this.#units.has(id)) return
    const all = this.#needs.get(id) ?? new Set()
    for (const need of needs) if (need !== id) all.add(need)
    this.#needs.set(id, all)
  }

  of(kind: UnitKind, component: string): readonly Unit[] {
    return this.#byComponent.get(`${kind} ${component}`) ?? []
  }

  /** In the order of adding, each with the needs that exist, sorted. */
  finish(): Unit[] {
    return [...this.#units.values()].map((unit) => ({
      ...unit,
      needs: [...(this.#needs.get(unit.id) ?? [])].filter((id) => this.#units.has(id)).sort(),
    }))
  }
}

export function unitId(kind: UnitKind, machine: string, service?: string): string {
  return service === undefined ? `${machine}/${kind}` : `${machine}/${kind}/${service}`
}
