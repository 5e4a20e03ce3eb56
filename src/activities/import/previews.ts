import { KitbagError } from '../../model/errors.ts'
import type { ImportPreview, Plan } from '../../model/plan.ts'
import type { Phase } from '../../model/recipe.ts'
import type { PlanInput } from '../../planner/plan-input.ts'
import { type PreviewSource, previewFacts } from '../../planner/preview.ts'
import { compile } from '../../recipes/compile.ts'
import { runProgram } from '../../shell/run-program.ts'
import type { ActivityDeps } from '../deps.ts'
import { machineAccess } from '../machine-access.ts'
import { partsOf, prepared } from '../phase-parts.ts'
import { recipesOf } from '../recipes-of.ts'

/** Looks at the imported machines that a plan sets up. Nothing is changed on them. */
export type Previews = (input: PlanInput, plan: Plan, tenantId: string) => Promise<ImportPreview[]>

/** Milliseconds that a look at one machine may take. */
const patience = 30_000

export function createPreviews(deps: ActivityDeps): Previews {
  return async (input, plan, tenantId) => {
    const { release } = input
    const made = new Set(plan.units.filter(({ kind }) => kind === 'create').map(({ machine }) => machine))
    const found = input.machines.filter(({ name, status }) => status === 'imported' && made.has(name))
    if (!release || found.length === 0) return []
    const recipes = await recipesOf(deps, tenantId, release.spec)
    const { id: installation } = await deps.store.installation.get()
    const source = { input: { ...input, release }, plan, recipes, installation }
    return Promise.all(found.map((machine) => preview(deps, { ...source, machine })))
  }
}

/** What could be seen until something kept it from more. */
async function preview(deps: ActivityDeps, source: PreviewSource): Promise<ImportPreview> {
  const { name } = source.machine
  const found: ImportPreview = { machine: name, changes: [] }
  const over = AbortSignal.timeout(patience)
  try {
    for (const phase of ['install', 'configure'] as const) {
      // What both phases see to is told once.
      const told = new Set(found.changes.map(({ resource }) => resource))
      const seen = await look(deps, source, phase, over)
      found.changes.push(...seen.filter(({ resource }) => !told.has(resource)))
    }
    return found
  } catch (error) {
    if (!(error instanceof KitbagError)) throw error
    return { ...found, unknown: over.aborted ? `${name} did not answer within ${patience / 1_000} s` : error.message }
  }
}

/** One phase in check mode: what differs from what the deploy will make. */
async function look(
  deps: ActivityDeps,
  source: PreviewSource,
  phase: Phase,
  signal: AbortSignal,
): Promise<ImportPreview['changes']> {
  const { facts, machine, component } = previewFacts(source)
  if (!component) throw new KitbagError('internal', `the release has no ${machine.component}`)
  const given = partsOf(facts, source.recipes, { component, machine, phase })
  const means = { revision: later, archives: later, archive: later }
  const parts = phase === 'configure' ? await prepared(deps.toolkit, component, given, means) : given
  const { recipe, context, extras, secrets } = parts
  const program = compile(recipe, phase, context, { mode: 'check', secrets }, extras)
  const { events } = await runProgram(deps.reach, machineAccess(machine), program, { blobs: nothing, signal, secrets })
  return events.flatMap(({ status, resource, changes }) => (status === 'changed' ? [{ resource, changes }] : []))
}

/** What a service only makes for the deploy itself. */
async function later(): Promise<never> {
  throw new KitbagError('not-supported', 'its service makes some of its files only with the deploy')
}

/** A check uploads nothing. */
async function* nothing(): AsyncIterable<Uint8Array> {}
