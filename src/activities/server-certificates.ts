import type { DeploymentRecord } from '../db/store.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { ServerCredentials } from '../model/recipe.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { anySpeaksTls, certificateHosts, needsCertificate, speaksTls } from '../planner/tls.ts'
import { datesOf, ensureAuthority, issueInternally } from '../toolkit/certificates/authority.ts'
import { renewalTime } from '../toolkit/certificates/wanted.ts'
import type { ActivityDeps } from './deps.ts'

/** Milliseconds after which a certificate that its machine was never brought to serve with is due again. */
const untilInForce = 24 * 3_600_000

/** The deployment's own authority is there where a recipe speaks TLS, before anything is configured that trusts it. */
export async function ensureServerAuthority(
  { store }: ActivityDeps,
  deployment: DeploymentRecord,
  release: ReleaseSpec,
): Promise<void> {
  if (!anySpeaksTls(release)) return
  await ensureAuthority({ deployment, certificates: store.certificates, now: new Date() })
}

/** The machine has a certificate that is for its addresses and not due, where its recipe speaks TLS. Idempotent. */
export async function ensureServerCertificate(
  { store }: ActivityDeps,
  deployment: DeploymentRecord,
  release: ReleaseSpec,
  { component, machine }: { component: ResolvedComponent; machine: MachineRecord },
): Promise<void> {
  if (!speaksTls(release, component)) return
  const now = new Date()
  const hosts = certificateHosts(machine)
  const known = (await store.serverCertificates.list(deployment.id)).find(({ machineId }) => machineId === machine.id)
  if (known && !needsCertificate(known, machine, now)) return
  const { certificates } = store
  const { chain, key } = await issueInternally({ deployment, certificates, now }, { name: machine.name, hosts })
  const renewAt = new Date(now.getTime() + untilInForce)
  await store.serverCertificates.put(machine.id, { certificate: chain, key, hosts, renewAt })
}

/** What a machine serves with, by its id; empty where there is none. */
export async function serverCredentials(
  { store }: ActivityDeps,
  deploymentId: string,
  machineId: string,
): Promise<Record<string, ServerCredentials>> {
  const known = (await store.serverCertificates.list(deploymentId)).find((one) => one.machineId === machineId)
  if (!known) return {}
  return { [machineId]: { certificate: known.certificate, key: await store.serverCertificates.keyOf(machineId) } }
}

/** The machine serves with its certificate from now on: the next one is due in its time. */
export async function settleServerCertificate(
  { store }: ActivityDeps,
  { id, name, deploymentId }: Pick<MachineRecord, 'id' | 'name' | 'deploymentId'>,
): Promise<void> {
  const known = (await store.serverCertificates.list(deploymentId)).find(({ machineId }) => machineId === id)
  if (!known) return
  const { notBefore, notAfter } = datesOf(known.certificate)
  await store.serverCertificates.setRenewal(id, renewalTime(name, notBefore, notAfter))
}
