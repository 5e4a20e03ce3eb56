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

type Way = Pick<CompileInput<unknown>, 'phase' | 'mode'>

/** Where a machine keeps what each extra on it has to be freed of, by the extra's name. */
export const extrasFolder = '/var/lib/kitbag/extras'

/**
 * Steps of a recipe and of its extras as those of one program. Packages of all are installed together: first comes what stands before
 * the first package of each, then these packages, then the rest; within one recipe the order stays. Resources of an extra begin with its
 * name. The same resource said the same twice is said once. Throws `invalid-recipe` when two want one resource otherwise.
 */
export function mergeParts([own = [], ...others]: Step[][], extras: ExtraPart[], { phase, mode }: Way): Step[] {
  const parts = [{ name: '', steps: own }]
  for (const [i, { name, recipe }] of extras.entries())
    parts.push({ name, steps: [...traces(name, recipe, { phase, mode }), ...(others[i] ?? [])] })
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
function traces(name: string, recipe: Recipe, { phase, mode }: Way): Step[] {
  const text = {
    bytes: Buffer.from(
      holdingsOf(recipe)
        .map((line) => `${line}\n`)
        .join(''),
    ),
    sensitive: false,
  }
  const plain = { mode: '0644', owner: 'root', group: 'root', sensitive: false, state: 'present' }
  const steps = fileResource.compile({
    fields: { file: `${extrasFolder}/${name}`, ...plain },
    texts: { text },
    phase,
    mode,
  })
  // The folder above is made by whoever needs it first, also in the middle of a program: so it is no resource.
  const folder = sh`[ -d ${extrasFolder} ] || [ $MODE = check ] || kb_run mkdir -p ${extrasFolder}`.text
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
