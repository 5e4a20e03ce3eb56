import type { DeploymentRecord } from '../db/store.ts'
import { KitbagError } from '../model/errors.ts'
import type { OperationRecord } from '../model/operation.ts'
import type { ReleaseRecord, ReleaseSpec } from '../model/release.ts'
import { makingServices } from '../planner/values.ts'
import type { RefreshContext } from '../toolkit/contract.ts'
import { type ActivityDeps, defaultTimings } from './deps.ts'
import { releaseOf } from './release-of.ts'
import { showChallenges } from './show-challenges.ts'
import { valueSource } from './value-source.ts'

/** What services make themselves is there, before anything is planned that is configured from it. */
export async function ensureValues(
  deps: ActivityDeps,
  deployment: DeploymentRecord,
  release: ReleaseSpec,
  options: { retry?: true } = {},
): Promise<void> {
  for (const { values, context } of makingServices(valueSource(deps, deployment), release))
    await values.ensure({ ...context, ...options })
}

/**
 * Does what is due about a service's values before a push brings them to the machines. Throws when nothing came of it; what failed beside
 * what succeeded is told as warnings.
 */
export async function refreshValues(
  deps: ActivityDeps,
  { id: operation, deploymentId, request }: OperationRecord,
  signal: AbortSignal,
): Promise<void> {
  const { store } = deps
  const deployment = await store.deployments.get(deploymentId)
  if (!deployment || deployment.currentRelease === null) return
  const release = await releaseOf(store, deployment.id, deployment.currentRelease)
  const services = makingServices(valueSource(deps, deployment), release.spec)
  const found = services.find(({ context }) => context.service === request.service)
  if (!found) return
  const { values, context } = found
  await values.ensure(context)
  const refreshing: RefreshContext<unknown> = {
    ...context,
    ...(request.refresh !== undefined && { asked: request.refresh }),
    owner: operation,
    secret: (reference) => secretOf(deps, release, reference),
    show: (certificate, challenges) =>
      showChallenges(deps, { deployment, release: release.spec, signal }, certificate, challenges),
    tell: (message) => store.operations.appendEvents(operation, [{ type: 'log', data: { level: 'info', message } }]),
    retry: { ...defaultTimings, ...deps.timings }.certificateRetry,
    signal,
  }
  const { changed, failures } = await values.refresh(refreshing)
  const [first] = failures
  if (first && changed === 0 && failures.length === 1) throw first
  if (first && changed === 0) throw new KitbagError(first.code, failures.map(({ message }) => message).join('; '))
  const warnings = failures.map(({ message }) => ({ type: 'log' as const, data: { level: 'warn', message } }))
  if (warnings.length > 0) await store.operations.appendEvents(operation, warnings)
}

async function secretOf(
  { store }: ActivityDeps,
  { deploymentId, spec }: ReleaseRecord,
  reference: string,
): Promise<string> {
  const name = reference.replace(/^secrets\./, '')
  const value = await store.secrets.get(deploymentId, name, spec.secretVersions[name] ?? 0)
  if (value !== undefined) return value
  throw new KitbagError('not-found', `the secret ${name} has no value any more`, {
    fix: `Set it and deploy again: kitbag secret set ${name}`,
  })
}
