import type { DeploymentRecord } from '../db/store.ts'
import { unpackFiles } from '../lib/archive/unpack.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { Phase } from '../model/recipe.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { configureDigest, installDigest, migrationDigest, type World } from '../planner/digests.ts'
import { createFacts, type FactSource, type Facts, secretsOf } from '../planner/facts.ts'
import { firewallDigest } from '../planner/firewall.ts'
import { refusePublicLinks } from '../planner/plain-links.ts'
import { anySpeaksTls, speaksTls } from '../planner/tls.ts'
import { valuesOf } from '../planner/values.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ActivityDeps } from './deps.ts'
import { keepArchive } from './keep-archive.ts'
import { type PhaseParts, type PrepareMeans, partsOf, prepared } from './phase-parts.ts'
import { recipesOf } from './recipes-of.ts'
import { ensureServerCertificate, serverCredentials } from './server-certificates.ts'
import { noMachine, type UnitWork } from './unit-work.ts'
import { valueSource } from './value-source.ts'
import { worldOf } from './world-of.ts'

/** What one phase on one machine is rendered from, at this moment. */
export interface PhaseInputs extends PhaseParts {
  /** The row as it was read with everything else. */
  machine: MachineRecord
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
  const { deps, deployment } = work
  const { world, machine, component } = await servingSubjectOf(work, phase)
  const recipes = await recipesOf(deps, deployment.tenantId, world.release)
  if (phase === 'configure') refusePublicLinks(world, component.name)
  const secrets = await secretValues(deps, deployment.id, world.release)
  const credentials = speaksTls(world.release, component) && (await serverCredentials(deps, deployment.id, machine.id))
  const seen = { ...world, from: machine.cloudId, ...(credentials && { credentials }) }
  const facts = await factsOf(deps, deployment, seen, recipes, secrets)
  const digests: Record<Phase, () => string> = {
    install: () => installDigest(world.release, component),
    migrate: () => migrationDigest(world, component),
    configure: () => configureDigest(world, component, machine),
  }
  const firewall = firewallDigest(world, component, machine)
  const inputs = {
    machine,
    ...partsOf(facts, recipes, { component, machine, phase }),
    digest: digests[phase](),
    ...(phase === 'configure' && firewall !== undefined && { firewall }),
  }
  return phase === 'configure' ? prepared(deps.toolkit, component, inputs, meansOf(work, component)) : inputs
}

/** What services' own work on parameters keeps between its runs. */
function meansOf({ deps, deployment: { id, tenantId } }: UnitWork, { name }: ResolvedComponent): PrepareMeans {
  return {
    revision: (key, digest, least) => deps.store.revisions.next(id, `${name} ${key}`, { digest, least }),
    archives: (digest) => unpackFiles(deps.store.blobs.read(tenantId, digest)),
    archive: (kind, key, make) => keepArchive(deps, `${tenantId} ${kind} ${key}`, tenantId, make),
  }
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
