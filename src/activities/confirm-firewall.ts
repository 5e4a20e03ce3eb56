import { sleep } from '../lib/clock.ts'
import { KitbagError } from '../model/errors.ts'
import type { MachineRecord } from '../model/machine.ts'
import { machineAccess } from './machine-access.ts'
import type { UnitWork } from './unit-work.ts'

/** The resource of the recipe `firewall` that loads rules which go by themselves within 10 s unless they are confirmed. */
const trial = 'command:try the rules'

export function isOnTrial(resource: string): boolean {
  return resource === trial || resource.endsWith(`/${trial}`)
}

/** Milliseconds for confirming or, when that is too late, for the former rules to be back. */
const patience = 40_000

/** Milliseconds between two attempts. */
const pause = 250

/** Status of a confirmation that came when the former rules were back. */
const rolledBack = 3

/**
 * Confirms rules that SSH depends on, by a new connection: one that stands would survive rules that let nobody in. Throws
 * `resource-failed` naming the rule when they shut Kitbag out and were rolled back.
 */
export async function confirmFirewall({ deps, signal }: UnitWork, machine: MachineRecord): Promise<void> {
  const deadline = Date.now() + patience
  let shutOut = false
  for (;;) {
    try {
      const options = { fresh: true, root: true, urgent: true, timeout: 8_000, signal }
      const command = '/usr/local/lib/kitbag/firewall confirm'
      const { status, stdout, stderr } = await deps.reach.exec(machineAccess(machine), command, options)
      if (status === 0) return
      if (status === rolledBack) throw refused(machine.name, stdout, shutOut)
      throw new KitbagError(
        'resource-failed',
        `${machine.name}: its firewall could not be confirmed: ${stderr.trim()}`,
        {
          machine: machine.name,
          retryable: true,
        },
      )
    } catch (error) {
      if (!(error instanceof KitbagError) || error.code !== 'machine-unreachable') throw error
      shutOut = true
      if (Date.now() > deadline) throw error
      await sleep(pause, signal)
    }
  }
}

function refused(machine: string, rules: string, shutOut: boolean): KitbagError {
  const rule = rules.trim().split('\n')[0]?.trim() ?? ''
  const message = shutOut
    ? `${machine}: the firewall rule for SSH shuts Kitbag out (${rule}), and was rolled back`
    : `${machine}: nobody confirmed the firewall within 10 s, and it was rolled back`
  return new KitbagError('resource-failed', message, {
    machine,
    resource: 'firewall',
    retryable: !shutOut,
    fix: "Add the network that Kitbag's connections come from to the cloud's sshFrom.",
  })
}
