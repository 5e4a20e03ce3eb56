import type { HealthCheck } from '../model/blueprint.ts'
import { insideAddress, type MachineAccess } from '../model/machine.ts'
import type { Reach } from '../model/reach.ts'
import { httpOverReach, tcpCheck } from './http-over-reach.ts'

export interface HealthTarget {
  machine: MachineAccess
  port: number
  health: HealthCheck
}

/** Checks once, over the machine's own SSH connection, as its neighbours would: at its address. Never rejects. */
export async function checkHealth(
  reach: Reach,
  { machine, port, health }: HealthTarget,
): Promise<{ ok: boolean; detail: string }> {
  const target = { host: insideAddress(machine), port, timeout: health.timeout }
  try {
    if (!health.http) {
      await tcpCheck(reach, machine, target)
      return { ok: true, detail: `port ${port} accepts connections` }
    }
    const { status } = await httpOverReach(reach, machine, { ...target, path: health.http })
    return { ok: status >= 200 && status < 400, detail: `GET ${health.http} answered ${status}` }
  } catch (error) {
    const what = health.http ? `GET ${health.http}` : `port ${port}`
    return { ok: false, detail: `${what}: ${(error as Error).message}` }
  }
}
