import type { Store } from '../db/store.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { SweepReport } from '../model/sweep.ts'
import type { Provider } from '../providers/contract.ts'

/** Compares what the clouds have of this installation with the rows. A machine without a row belongs to nobody. */
export async function sweepClouds(
  clouds: { name: string; provider: Provider }[],
  store: Pick<Store, 'machines' | 'deployments' | 'installation'>,
  remove: boolean,
): Promise<SweepReport> {
  const { id: installation } = await store.installation.get()
  // Clouds first, rows second: a machine's row is older than the machine, so what is made meanwhile is never taken for a stray.
  const found = await Promise.all(
    clouds.map(async (cloud) => ({
      ...cloud,
      machines: await cloud.provider.listMachines({ tags: { installation } }),
      addresses: (await cloud.provider.staticAddresses?.list(installation)) ?? [],
    })),
  )
  const rows = new Map((await store.machines.listAll()).map((row) => [row.id, row]))
  const seen = new Set<string>()
  const report: SweepReport = { machines: [], addresses: [], residue: [] }
  const wanted = new Set([...rows.values()].map(({ deploymentId, spec }) => `${deploymentId} ${spec.staticAddress}`))
  const swept = new Set<string>()
  for (const { name: cloud, provider, machines, addresses } of found) {
    const emptied = new Set<string>()
    for (const { id, name, tags, status, imported } of machines) {
      if (status === 'gone' || seen.has(id) || belongs(id, rows.get(tags.machine))) continue
      seen.add(id)
      if (remove) await (imported ? provider.letGo(id) : provider.destroyMachine(id))
      if (remove) emptied.add(tags.deployment)
      const deployment = (await store.deployments.get(tags.deployment))?.name ?? tags.deployment
      report.machines.push({ id, name, cloud, deployment, removed: remove })
    }
    for (const { address, name, deployment: id } of addresses) {
      if (wanted.has(`${id} ${name}`) || swept.has(address)) continue
      swept.add(address)
      if (remove) await provider.staticAddresses?.release({ installation, deployment: id }, name)
      const deployment = (await store.deployments.get(id))?.name ?? id
      report.addresses.push({ address, name, cloud, deployment, removed: remove })
    }
    const used = new Set([...rows.values()].map(({ deploymentId }) => deploymentId))
    for (const deployment of emptied) if (!used.has(deployment)) await provider.release?.({ installation, deployment })
  }
  // What runs on is no residue, nor is a stray that was only named: its parts go with it.
  const known = [...rows.values()].flatMap(({ providerId }) => providerId ?? [])
  if (!remove) known.push(...seen)
  for (const { provider } of found) report.residue.push(...((await provider.residue?.(installation, known)) ?? []))
  report.residue = [...new Set(report.residue)]
  return report
}

/** A row that does not know its machine's id yet may be the one of any machine with its tag. */
export function belongs(id: string, row: MachineRecord | undefined): boolean {
  return row !== undefined && (row.providerId === undefined || row.providerId === id)
}
