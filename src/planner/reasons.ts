import type { ResolvedComponent } from '../model/blueprint.ts'
import { canonicalJson } from '../model/json.ts'
import type { Reason } from '../model/plan.ts'
import { referencesIn, type Value } from '../model/value.ts'
import type { NumberedRelease } from './plan-input.ts'

/** A value for people: references by name, never what a secret holds; long text cut. */
function shown(value: Value | undefined, secret: boolean): string {
  if (value === undefined) return '(none)'
  if (secret) return '[secret]'
  const text =
    referencesIn(value).length > 0 ? canonicalJson(value) : typeof value === 'string' ? value : canonicalJson(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function differences(
  path: string,
  before: Record<string, Value>,
  after: Record<string, Value>,
  isSecret: (name: string) => boolean,
): Reason[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names
    .filter((name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null))
    .map((name) => ({
      message: `${path.split('.').at(-1)} ${name} changed`,
      path: `${path}.${name}`,
      before: shown(before[name], isSecret(name)),
      after: shown(after[name], isSecret(name)),
    }))
}

/** Machines of a service have settings that its planner made: nobody wrote them, so nobody is shown them. */
function serviceDifferences(
  current: NumberedRelease,
  release: NumberedRelease,
  before: ResolvedComponent,
  after: ResolvedComponent,
): Reason[] {
  const reasons: Reason[] = []
  const digest = ({ spec }: NumberedRelease, { recipe }: ResolvedComponent) => spec.recipes[recipe]?.digest
  if (digest(current, before) !== digest(release, after)) reasons.push({ message: `recipe of ${after.name} changed` })
  if (canonicalJson(before.settings) !== canonicalJson(after.settings))
    reasons.push({ message: `${after.name} changed`, path: `toolkit.${after.name}` })
  return reasons
}

/** What differs for one component between the release in force and the one planned. */
export function componentDifferences(
  current: NumberedRelease | undefined,
  release: NumberedRelease,
  before: ResolvedComponent | undefined,
  after: ResolvedComponent,
): Reason[] {
  if (!current || !before) return []
  return [...ownDifferences(current, release, before, after), ...extraDifferences(current, release, before, after)]
}

/** What toolkit services put onto its machines, by its name only: nobody wrote its settings. */
function extraDifferences(
  current: NumberedRelease,
  release: NumberedRelease,
  before: ResolvedComponent,
  after: ResolvedComponent,
): Reason[] {
  const all = ({ spec }: NumberedRelease, { extras = [] }: ResolvedComponent) =>
    new Map(
      extras.map(({ name, recipe, settings }) => [
        name,
        canonicalJson([spec.recipes[recipe]?.digest ?? null, settings]),
      ]),
    )
  const [was, is] = [all(current, before), all(release, after)]
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name): Reason[] => {
    if (was.get(name) === is.get(name)) return []
    const what = !was.has(name) ? 'comes' : is.has(name) ? 'changed' : 'goes'
    return [{ message: `${name} on machines of ${after.name} ${what}` }]
  })
}

function ownDifferences(
  current: NumberedRelease,
  release: NumberedRelease,
  before: ResolvedComponent,
  after: ResolvedComponent,
): Reason[] {
  if (after.service !== undefined) return serviceDifferences(current, release, before, after)
  const path = `components.${after.name}`
  const reasons: Reason[] = []
  const changed = (what: string, a: string | undefined, b: string | undefined, cut = 80) => {
    if (a === b) return
    reasons.push({
      message: `${what} of ${after.name} changed`,
      path: `${path}.${what}`,
      before: a?.slice(0, cut) ?? '(none)',
      after: b?.slice(0, cut) ?? '(none)',
    })
  }
  changed('source', current.spec.sources[before.source ?? ''], release.spec.sources[after.source ?? ''], 12)
  changed('recipe', current.spec.recipes[before.recipe]?.digest, release.spec.recipes[after.recipe]?.digest, 12)
  changed('start', before.start, after.start)
  changed('migrate', before.migrate, after.migrate)
  changed('port', before.port?.toString(), after.port?.toString())
  const properties = (release.spec.recipes[after.recipe]?.parameters.properties ?? {}) as Record<
    string,
    Record<string, unknown>
  >
  reasons.push(
    ...differences(
      `${path}.settings`,
      before.settings,
      after.settings,
      (name) => properties[name]?.['x-kitbag-secret'] === true,
    ),
  )
  reasons.push(...differences(`${path}.env`, before.env, after.env, () => false))
  for (const [name, version] of Object.entries(release.spec.secretVersions)) {
    const old = current.spec.secretVersions[name]
    if (old === undefined || old === version) continue
    if (referencesIn(after.env).concat(referencesIn(after.settings)).includes(`secrets.${name}`)) {
      reasons.push({ message: `secret ${name} has a new version`, before: String(old), after: String(version) })
    }
  }
  return reasons
}

/** Reasons in one line: `cpu of web changed (1 -> 2), it is on another cloud`. */
export function reasonsText(reasons: Reason[]): string {
  return reasons
    .map(({ message, before, after }) => (before === undefined ? message : `${message} (${before} -> ${after})`))
    .join(', ')
}
