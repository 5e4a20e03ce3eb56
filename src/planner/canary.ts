import type { Canary, StoredCanary } from '../model/canary.ts'
import { KitbagError } from '../model/errors.ts'
import type { JsonObject } from '../model/json.ts'
import type { Plan } from '../model/plan.ts'

type Overrides = Record<string, Record<string, JsonObject>>
type Changes = Record<string, Record<string, JsonObject | null>>

/** Where the canary in force is kept: under its component. */
const scope = 'canary'

/** The canary in force; there is one at most. */
export function canaryIn(overrides: Overrides): StoredCanary | undefined {
  return Object.values(overrides[scope] ?? {})[0] as unknown as StoredCanary | undefined
}

/** What is to be stored when a canary begins. */
export function beginning(overrides: Overrides, canary: Canary, release: number): Changes {
  const changes: Changes = { [scope]: { [canary.component]: { ...canary, release } as unknown as JsonObject } }
  for (const [service, keys] of Object.entries(canary.overrides))
    changes[service] = Object.fromEntries(
      Object.entries(keys).map(([key, fields]) => [key, { ...overrides[service]?.[key], ...fields }]),
    )
  return changes
}

/** What is to be stored when the one in force ends, whichever way. */
export function ending(overrides: Overrides): Changes {
  const canary = canaryIn(overrides)
  if (!canary) return {}
  const changes: Changes = { [scope]: { [canary.component]: null } }
  for (const [service, keys] of Object.entries(canary.overrides))
    changes[service] = Object.fromEntries(
      Object.entries(keys).map(([key, fields]) => {
        const left = Object.entries(overrides[service]?.[key] ?? {}).filter(([field]) => !Object.hasOwn(fields, field))
        return [key, left.length === 0 ? null : Object.fromEntries(left)]
      }),
    )
  return changes
}

/** Overrides as they are after these changes. */
export function changed(overrides: Overrides, changes: Changes): Overrides {
  const after: Overrides = { ...overrides }
  for (const [name, keys] of Object.entries(changes)) {
    const entries = Object.entries({ ...after[name], ...keys })
    after[name] = Object.fromEntries(entries.flatMap(([key, value]) => (value === null ? [] : [[key, value]])))
  }
  return after
}

/** Throws `conflict` for a plan that does more than bring a release to the canary's machines, or does not do that. */
export function refuseMore({ units }: Plan, { component, machines, overrides }: Canary): void {
  const other = units.find(
    (unit) =>
      unit.kind === 'create' ||
      unit.kind === 'destroy' ||
      unit.kind === 'forget' ||
      !(machines.includes(unit.machine) || Object.hasOwn(overrides, unit.component)),
  )
  const fix = 'Deploy it without --canary, or that change alone.'
  if (other)
    throw new KitbagError(
      'conflict',
      `a canary of ${component} changes its machines in place and nothing else; this would also ${other.kind} ${other.machine} (${other.reason})`,
      { fix },
    )
  const touched = machines.filter((name) => units.some(({ kind, machine }) => kind === 'configure' && machine === name))
  if (touched.length < machines.length)
    throw new KitbagError('conflict', `the release changes nothing on ${machines.join(', ')}: there is nothing to try`)
}

export function secondCanary({ component, release }: StoredCanary): KitbagError {
  return new KitbagError('conflict', `release ${release} is on trial as canary of ${component}`, {
    fix: 'End it first: kitbag promote NAME, or kitbag abort NAME.',
  })
}
