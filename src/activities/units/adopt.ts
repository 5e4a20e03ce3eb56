import { KitbagError } from '../../model/errors.ts'
import type { ImportedMachine } from '../../model/imported-machine.ts'
import type { Provider } from '../../providers/contract.ts'
import { machineAccess } from '../machine-access.ts'
import type { UnitWork } from '../unit-work.ts'

/**
 * Takes in a machine that somebody else made: its row first, then its marks at the cloud. Nothing on the machine itself is changed. Looked
 * at again before, because some time may have passed since it was asked for.
 */
export async function adopt(work: UnitWork): Promise<void> {
  const { deps, deployment, unit, signal } = work
  const { adopt: machine, component, machine: name } = unit
  if (!machine) throw new KitbagError('internal', `${unit.id}: an adopt unit without a machine`)
  const provider = await deps.clouds.provider(machine.cloud)
  await refuseUnlessRunning(provider, machine)
  const row = await deps.store.machines.ensureImported(deployment.id, { ...machine, component, name })
  await work.boundary('adopt/row')
  const answer = await deps.reach.exec(machineAccess(row), 'true', { root: true, timeout: patience, signal })
  if (answer.status !== 0)
    throw new KitbagError('provider-failed', `${name}: ${row.user} may not use sudo any more: ${answer.stderr.trim()}`)
  const { id: installation } = await deps.store.installation.get()
  const tags = { installation, deployment: deployment.id, machine: row.id }
  await provider.marks?.put(machine.providerId, { name, user: machine.user, component, tags })
  await work.boundary('adopt/marked')
}

/** Milliseconds for it to answer. */
const patience = 30_000

async function refuseUnlessRunning(provider: Provider, { providerId }: ImportedMachine): Promise<void> {
  const [found] = (await provider.marks?.find({ id: providerId })) ?? []
  if (found?.status === 'running') return
  throw new KitbagError('provider-failed', `${providerId} is ${found?.status ?? 'gone'} by now, so it is not imported`)
}
