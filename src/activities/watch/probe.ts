import { checkHealth } from '../../lib/check-health.ts'
import type { ResolvedComponent } from '../../model/blueprint.ts'
import { type ErrorCode, KitbagError } from '../../model/errors.ts'
import { type MachineAccess, type MachineRecord, tryMachineAccess } from '../../model/machine.ts'
import type { CloudStatus, Probe } from '../../toolkit/contract.ts'
import type { ActivityDeps } from '../deps.ts'

/** Codes by which a machine fails, and no cloud. */
const ownWords = new Set<ErrorCode>(['machine-unreachable', 'host-key-mismatch'])

/** Milliseconds that a machine has to run `true`. */
const patience = 10_000

/** Looks at one machine: its component's health check, and where that says no, whether it answers at all. Never rejects. */
export async function probe(
  { reach }: Pick<ActivityDeps, 'reach'>,
  row: MachineRecord,
  component: ResolvedComponent | undefined,
  signal?: AbortSignal,
): Promise<Probe> {
  const machine = tryMachineAccess(row)
  if (!machine) return { ok: false, reached: false, detail: 'it has no address' }
  const { health, port } = component ?? {}
  const healthy = health && port !== undefined ? await checkHealth(reach, { machine, port, health }) : undefined
  if (healthy?.ok) return { ...healthy, reached: true }
  const silence = await answers(reach, machine, signal)
  if (silence !== undefined) return { ok: false, reached: false, detail: silence }
  return { ok: healthy === undefined, reached: true, detail: healthy?.detail ?? 'it answers' }
}

/** undefined: it does; else why not. */
async function answers(
  reach: ActivityDeps['reach'],
  machine: MachineAccess,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    await reach.exec(machine, 'true', { timeout: patience, ...(signal && { signal }) })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * What a machine's cloud says of it. Rejects as the cloud does when it does not answer. Where there is no cloud but the machine itself
 * (`ssh`), one that does not answer is as it was.
 */
export async function atCloud({ clouds }: Pick<ActivityDeps, 'clouds'>, row: MachineRecord): Promise<CloudStatus> {
  if (row.providerId === undefined) return 'absent'
  const provider = await clouds.provider(row.cloudId)
  const found = await provider.getMachine(row.providerId).catch((error: unknown) => {
    if (error instanceof KitbagError && ownWords.has(error.code)) return { status: 'running' as const }
    throw error
  })
  return found === undefined || found.status === 'gone' ? 'absent' : found.status
}
