import { sh } from '../lib/sh.ts'
import { KitbagError } from '../model/errors.ts'
import type { RecipeContext } from '../model/recipe.ts'
import type { Recipe } from './recipe.ts'
import { fileResource } from './resources/file.ts'
import { type CompileInput, type Step, unitName } from './resources/type.ts'

/** A further recipe on a machine, beside the one that its component has. */
export interface ExtraPart {
  name: string
  recipe: Recipe
  context: RecipeContext
}

interface Way extends Pick<CompileInput<unknown>, 'phase' | 'mode'> {
  /** The component's own recipe leaves traces too, because it shares its machine and may leave it. */
  guest?: { component: string; recipe: Recipe }
}

/**
 * Where a machine keeps what each extra on it has to be freed of, by the extra's name. A component that shares a machine has a folder of
 * its own, in which its own recipe is too.
 */
export function tracesFolder(guest?: string): string {
  return guest === undefined ? '/var/lib/kitbag/extras' : `/var/lib/kitbag/guests/${guest}`
}

/** In a guest's folder: what its own recipe names literally, and what it made of that. No extra has such a name. */
const ownTraces = '_own'
const madeTraces = '_made'

/** Names of all traces that a machine's program, or a guest's on it, has of what belongs there. */
export function tracesOf(extras: ExtraPart[], isGuest: boolean): string[] {
  return [...(isGuest ? [ownTraces, madeTraces] : []), ...extras.map(({ name }) => name)]
}

/**
 * Steps of a recipe and of its extras as those of one program. Packages of all are installed together: first comes what stands before
 * the first package of each, then these packages, then the rest; within one recipe the order stays. Resources of an extra begin with its
 * name. The same resource said the same twice is said once. Throws `invalid-recipe` when two want one resource otherwise.
 */
export function mergeParts([own = [], ...others]: Step[][], extras: ExtraPart[], way: Way): Step[] {
  const { guest, phase } = way
  const left = guest
    ? [
        ...traces(ownTraces, holdingsOf(guest.recipe), way),
        ...(phase === 'configure' ? traces(madeTraces, holdingsIn(own), way) : []),
      ]
    : []
  const parts = [{ name: '', steps: [...left, ...own] }]
  for (const [i, { name, recipe }] of extras.entries())
    parts.push({ name, steps: [...traces(name, holdingsOf(recipe), way), ...(others[i] ?? [])] })
  const seen = new Map<string, Step>()
  const cut = parts.map(({ name, steps }) =>
    around(steps).map((some) =>
      some.flatMap((step) => {
        const same = seen.get(step.resource)
        if (same && name !== '') {
          if (same.batch || isSame(same, step)) return []
          throw new KitbagError('invalid-recipe', `extra ${name}: ${step.resource} is there already, and another`)
        }
        seen.set(step.resource, step)
        return [name === '' ? step : { ...step, resource: `${name}/${step.resource}` }]
      }),
    ),
  )
  return [0, 1, 2].flatMap((place) => cut.flatMap((part) => part[place] ?? []))
}

/** What stands before the first packages, these, and what stands after them. */
function around(steps: Step[]): Step[][] {
  const first = steps.findIndex(({ batch }) => batch)
  if (first < 0) return [steps, [], []]
  const rest = steps.slice(first)
  const length = rest.findIndex(({ batch }) => !batch)
  const end = length < 0 ? rest.length : length
  return [steps.slice(0, first), rest.slice(0, end), rest.slice(end)]
}

function isSame(a: Step, b: Step): boolean {
  return a.script === b.script && JSON.stringify(a.notify ?? []) === JSON.stringify(b.notify ?? [])
}

/** Written before anything else of it is there, so that whatever is left of it can be taken away. */
function traces(name: string, holdings: string[], { phase, mode, guest }: Way): Step[] {
  const path = tracesFolder(guest?.component)
  const text = { bytes: Buffer.from(holdings.map((line) => `${line}\n`).join('')), sensitive: false }
  const plain = { mode: '0644', owner: 'root', group: 'root', sensitive: false, state: 'present' }
  const steps = fileResource.compile({
    fields: { file: `${path}/${name}`, ...plain },
    texts: { text },
    phase,
    mode,
  })
  // The folder above is made by whoever needs it first, also in the middle of a program: so it is no resource.
  const folder = sh`[ -d ${path} ] || [ $MODE = check ] || kb_run mkdir -p ${path}`.text
  return steps.map((step) => ({ ...step, script: `${folder}\n${step.script}` }))
}

/** Services and files that a recipe names literally: those that are stopped, and removed, with an extra. */
function holdingsOf({ definition }: Recipe): string[] {
  const found = definition.resources.flatMap(({ fields }) => [
    ...[fields.service ?? []].flat().map((unit) => `unit:${unitName(String(unit))}`),
    ...(fields['systemd-unit'] === undefined ? [] : [`file:/etc/systemd/system/${fields['systemd-unit']}`]),
    ...(fields.file === undefined ? [] : [`file:${fields.file}`]),
  ])
  return [...new Set(found.filter((line) => !line.includes('${')))]
}

/** The same of what a recipe's steps came to. */
function holdingsIn(steps: Step[]): string[] {
  const found = steps.flatMap(({ resource }) => {
    const [, type, name = ''] = /^([a-z-]+):(.*)$/.exec(resource) ?? []
    if (type === 'service') return [`unit:${unitName(name)}`]
    if (type === 'systemd-unit') return [`file:/etc/systemd/system/${name}`]
    return type === 'file' ? [resource] : []
  })
  return [...new Set(found)]
}
