import type { DeploymentRecord } from '../db/store.ts'
import { unpackFiles } from '../lib/archive/unpack.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Phase, RecipeContext } from '../model/recipe.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { configureDigest, installDigest, migrationDigest, type World } from '../planner/digests.ts'
import { createFacts, type FactSource, type Facts, secretsOf } from '../planner/facts.ts'
import { firewallDigest } from '../planner/firewall.ts'
import { refusePublicLinks } from '../planner/plain-links.ts'
import { anySpeaksTls, speaksTls } from '../planner/tls.ts'
import { valuesOf } from '../planner/values.ts'
import type { ExtraPart } from '../recipes/extras.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ActivityDeps } from './deps.ts'
import { keepArchive } from './keep-archive.ts'
import { recipesOf } from './recipes-of.ts'
import { ensureServerCertificate, serverCredentials } from './server-certificates.ts'
import { noMachine, type UnitWork } from './unit-work.ts'
import { valueSource } from './value-source.ts'
import { worldOf } from './world-of.ts'

/** What one phase on one machine is rendered from, at this moment. */
export interface PhaseInputs {
  /** The row as it was read with everything else. */
  machine: MachineRecord
  recipe: Recipe
  context: RecipeContext
  /** What toolkit services put onto the machine, run in the same program. */
  extras: ExtraPart[]
  /** Values that nothing may show. */
  secrets: string[]
  /** Of everything that goes in: equal digests need no second run. */
  digest: string
  /** The same of the machine's firewall; absent: it has none. */
  firewall?: string
}

/** The digests that a configure's inputs have at this moment, without the work of making them. */
export async function configureDigestsNow(work: UnitWork): Promise<Pick<PhaseInputs, 'digest' | 'firewall'>> {
  const { world, component, machine } = await subjectOf(work)
  const firewall = firewallDigest(world, component, machine)
  return { digest: configureDigest(world, component, machine), ...(firewall !== undefined && { firewall }) }
}

/** What a unit is about, as it is at this moment. */
async function subjectOf(work: UnitWork) {
  const { unit } = work
  const world = await worldOf(work)
  const machine = world.machines.find(({ name }) => name === unit.machine)
  if (!machine) throw noMachine(unit)
  const component = world.components.find(({ name }) => name === machine.component)
  if (!component) throw new KitbagError('internal', `${unit.id}: release ${world.number} has no ${machine.component}`)
  return { world, machine, component }
}

/** The same, once its machine has what it is to serve with; a check leaves that as it is. */
async function servingSubjectOf(work: UnitWork, phase: Phase) {
  const subject = await subjectOf(work)
  const { release } = subject.world
  if (phase !== 'configure' || work.unit.kind === 'check' || !speaksTls(release, subject.component)) return subject
  await ensureServerCertificate(work.deps, work.deployment, release, subject)
  return subjectOf(work)
}

/** Throws `internal` naming the fact that is missing, `not-found` for a secret without a value. */
export async function phaseInputs(work: UnitWork, phase: Phase): Promise<PhaseInputs> {
  const { deps, deployment, unit } = work
  const { world, machine, component } = await servingSubjectOf(work, phase)
  const recipes = await recipesOf(deps, deployment.tenantId, world.release)
  if (phase === 'configure') refusePublicLinks(world, component.name)
  const recipe = recipes.get(component.recipe)
  if (!recipe)
    throw new KitbagError('internal', `${unit.id}: release ${world.number} has no recipe ${component.recipe}`)
  const secrets = await secretValues(deps, deployment.id, world.release)
  const credentials = speaksTls(world.release, component) && (await serverCredentials(deps, deployment.id, machine.id))
  const seen = { ...world, from: machine.cloudId, ...(credentials && { credentials }) }
  const facts = await factsOf(deps, deployment, seen, recipes, secrets)
  const digests: Record<Phase, () => string> = {
    install: () => installDigest(world.release, component),
    migrate: () => migrationDigest(world, component),
    configure: () => configureDigest(world, component, machine),
  }
  const when = { later: phase !== 'install' }
  const firewall = firewallDigest(world, component, machine)
  const extras = phase === 'migrate' ? [] : facts.extras(machine, when)
  const inputs = {
    machine,
    recipe,
    ...facts.context(machine, when),
    extras: extras.map(({ extra, context }) => {
      const found = recipes.get(extra.recipe)
      if (found) return { name: extra.name, recipe: found, context }
      throw new KitbagError('internal', `${unit.id}: release ${world.number} has no recipe ${extra.recipe}`)
    }),
    digest: digests[phase](),
    ...(phase === 'configure' && firewall !== undefined && { firewall }),
  }
  return phase === 'configure' ? prepared(work, component, inputs) : inputs
}

/** Toolkit services' own work on the parameters of their machines, and of what they put onto others. */
async function prepared(work: UnitWork, component: ResolvedComponent, inputs: PhaseInputs): Promise<PhaseInputs> {
  const secrets = [...inputs.secrets]
  const { tenantId } = work.deployment
  const prepare = async (kind: string | undefined, context: RecipeContext, extra?: string): Promise<RecipeContext> => {
    const own = kind === undefined ? undefined : work.deps.toolkit[kind]?.prepare
    if (!own) return context
    const { parameters, secrets: more } = await own({
      ...(extra !== undefined && { extra }),
      parameters: context.parameters,
      address: context.machine.address,
      peers: context.peers,
      revision: (key, digest, least) =>
        work.deps.store.revisions.next(work.deployment.id, `${component.name} ${key}`, { digest, least }),
      archives: (digest) => unpackFiles(work.deps.store.blobs.read(tenantId, digest)),
      archive: (key, make) => keepArchive(work.deps, `${tenantId} ${kind} ${key}`, tenantId, make),
    })
    secrets.push(...more)
    return { ...context, parameters }
  }
  const context = await prepare(component.service, inputs.context)
  const extras: ExtraPart[] = []
  for (const [i, part] of inputs.extras.entries())
    extras.push({ ...part, context: await prepare(component.extras?.[i]?.kind, part.context, part.name) })
  return { ...inputs, context, extras, secrets }
}

export async function factsOf(
  deps: ActivityDeps,
  deployment: DeploymentRecord,
  {
    number: releaseNumber,
    credentials,
    from,
    ...world
  }: World & { number: number } & Pick<FactSource, 'credentials' | 'from'>,
  recipes: Map<string, Recipe>,
  secrets: Map<string, string>,
): Promise<Facts> {
  const { id: installation } = await deps.store.installation.get()
  const values = await valuesOf(valueSource(deps, deployment), world.release)
  const authority = anySpeaksTls(world.release)
    ? (await deps.store.certificates.authorityCertificate(deployment.id))?.certificate
    : undefined
  return createFacts({
    installation,
    deployment: deployment.name,
    releaseNumber,
    world,
    recipes,
    secrets,
    values,
    ...(authority !== undefined && { authority }),
    ...(credentials && { credentials }),
    ...(from !== undefined && { from }),
  })
}

/** Values in the versions that the release pins; one that is to be generated and was not yet, is. */
export async function secretValues(
  { store }: ActivityDeps,
  deploymentId: string,
  release: ReleaseSpec,
): Promise<Map<string, string>> {
  const values = secretsOf({ release }).map(async ({ name, version }) => {
    const value = await store.secrets.get(deploymentId, name, version)
    if (value !== undefined) return [name, value] as const
    // `dns.seed`: a recipe came to need it after the release was stored. Given ones have no dot in their names.
    if (name.includes('.')) {
      await store.secrets.ensureGenerated(deploymentId, name)
      const made = await store.secrets.get(deploymentId, name, version)
      if (made !== undefined) return [name, made] as const
    }
    throw new KitbagError('not-found', `the secret ${name} has no value in version ${version} any more`, {
      fix: `Set it and deploy again: kitbag secret set ${name}`,
    })
  })
  return new Map(await Promise.all(values))
}
