import type { Unit, UnitKind } from '../model/plan.ts'

/** Collects units; needs may name units that are added later, and those that never are fall out at the end. */
export class UnitList {
  readonly #units = new Map<string, Unit>()

  add(
    kind: UnitKind,
    target: { component: string; machine: string },
    reason: string,
    more: Partial<Unit> = {},
  ): string {
    const id = more.id ?? unitId(kind, target.machine, more.service)
    this.#units.set(id, { kind, ...target, needs: [], reason, ...more, id })
    return id
  }

  has(id: string): boolean {
    return this.#units.has(id)
  }

  need(id: string, needs: (string | undefined)[]): void {
    const unit = this.#units.get(id)
    if (!unit) return
    for (const need of needs) if (need !== undefined && need !== id && !unit.needs.includes(need)) unit.needs.push(need)
  }

  of(kind: UnitKind, component: string): Unit[] {
    return [...this.#units.values()].filter((unit) => unit.kind === kind && unit.component === component)
  }

  /** In order of id within the order of adding, each with the needs that exist, sorted. */
  finish(): Unit[] {
    return [...this.#units.values()].map((unit) => ({
      ...unit,
      needs: unit.needs.filter((id) => this.#units.has(id)).sort(),
    }))
  }
}

export function unitId(kind: UnitKind, machine: string, service?: string): string {
  return service === undefined ? `${machine}/${kind}` : `${machine}/${kind}/${service}`
}
