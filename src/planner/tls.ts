import type { ResolvedComponent } from '../model/blueprint.ts'
import type { ServerCertificateRecord } from '../model/certificate.ts'
import { type MachineRecord, preferredAddress } from '../model/machine.ts'
import type { ReleaseSpec } from '../model/release.ts'
import { componentNamed, linksOf } from './links.ts'

/** The recipe, and the name of the extra, that gives a machine the certificate of the deployment's own authority. */
export const authorityName = 'authority'

/** Whether a component's port speaks TLS with a certificate of the deployment's own authority. */
export function speaksTls(
  { recipes }: Pick<ReleaseSpec, 'recipes'>,
  { recipe }: Pick<ResolvedComponent, 'recipe'>,
): boolean {
  return recipes[recipe]?.tls === true
}

/** Whether any of a release's recipes does so. */
export function anySpeaksTls({ recipes }: Pick<ReleaseSpec, 'recipes'>): boolean {
  return Object.values(recipes).some(({ tls }) => tls)
}

/** Whether a component uses another one over TLS, so that its machines have to know the authority. */
export function usesTls(
  release: Pick<ReleaseSpec, 'recipes'>,
  components: ResolvedComponent[],
  { name, observer, names }: ResolvedComponent,
): boolean {
  if (observer || names) return false
  return linksOf(components, name).some((link) => {
    const owner = componentNamed(components, link)
    return owner !== undefined && speaksTls(release, owner)
  })
}

/**
 * Names and addresses that a machine's certificate is for. `localhost`: node-postgres as Debian has it (8.8, 8.14) asks a server
 * that it reaches by its address for that name.
 */
export function certificateHosts({ name, addresses }: Pick<MachineRecord, 'name' | 'addresses'>): string[] {
  const own = addresses.filter(({ floating }) => !floating).map(({ address }) => address)
  return [...new Set([...own.sort(), name, 'localhost'])]
}

/** Whether a machine needs another certificate than the one that it has: its time has come, or the machine has other addresses. */
export function needsCertificate(
  { renewAt, hosts }: Pick<ServerCertificateRecord, 'renewAt' | 'hosts'>,
  machine: Pick<MachineRecord, 'name' | 'addresses'>,
  now: Date,
): boolean {
  return renewAt <= now || hosts.join() !== certificateHosts(machine).join()
}

/** Machine id -> a word for its certificate, another one as soon as it needs another certificate. */
export function certificateWords(
  certificates: ServerCertificateRecord[],
  machines: MachineRecord[],
  now: Date,
): Record<string, string> {
  const words = certificates.flatMap((certificate) => {
    const machine = machines.find(({ id }) => id === certificate.machineId)
    if (!machine) return []
    return [[machine.id, needsCertificate(certificate, machine, now) ? 'due' : String(certificate.version)] as const]
  })
  return Object.fromEntries(words)
}

/** Whether a machine comes to another one from another cloud, or over a public network. */
export function isElsewhere(to: Pick<MachineRecord, 'cloudId'>, from: MachineRecord): boolean {
  return from.cloudId !== to.cloudId || preferredAddress(from.addresses)?.scope === 'public'
}
