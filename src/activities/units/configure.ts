import { KitbagError } from '../../model/errors.ts'
import type { MachineRecord } from '../../model/machine.ts'
import { machineAccess } from '../machine-access.ts'
import { configureDigestsNow, type PhaseInputs, phaseInputs } from '../phase-inputs.ts'
import { runPhase } from '../run-phase.ts'
import { settleServerCertificate } from '../server-certificates.ts'
import { ownService, type RunningService } from '../service-of.ts'
import type { UnitWork } from '../unit-work.ts'
import { admit } from './admit.ts'
import { isGone, unlessAway } from './unless-away.ts'

/** A push may change what a deploy is just configuring, and the other way round. */
const mostRounds = 10

/**
 * The recipe's configure phase, rendered from facts as they are just before it runs, and once more while they changed under it: the
 * one that ends last has put the newest facts in force. The digest is taken off the row before and put on after.
 */
export function configure(work: UnitWork): Promise<void> {
  return unlessAway(work, () => configureMachine(work))
}

async function configureMachine(work: UnitWork): Promise<void> {
  const { machines } = work.deps.store
  if (await isGone(work)) return
  if (work.unit.only === 'firewall') return admit(work, mostRounds)
  let inputs = await phaseInputs(work, 'configure')
  for (let round = 1; round <= mostRounds; round++) {
    const { id } = inputs.machine
    const firewallDigest = inputs.firewall ?? null
    await machines.update(id, {
      configureDigest: null,
      ...(firewallDigest !== inputs.machine.firewallDigest && { firewallDigest: '' }),
      ...unsettled(work, inputs.machine),
    })
    const service = await ownService(work)
    await runPhase(work, 'configure', inputs, { mode: 'apply', suppress: await ahead(service, inputs) })
    await service?.toolkit.control.afterConfigure(
      service.context,
      machineAccess(inputs.machine),
      inputs.context.parameters,
    )
    const now = await configureDigestsNow(work)
    if (now.digest === inputs.digest && now.firewall === inputs.firewall) {
      await machines.update(id, { configureDigest: inputs.digest, firewallDigest, drifted: false })
      if (inputs.recipe.signature.tls) await settleServerCertificate(work.deps, inputs.machine)
      return
    }
    inputs = await phaseInputs(work, 'configure')
  }
  const { machine } = work.unit
  throw new KitbagError('conflict', `${machine}: what it is configured from changed ${mostRounds} times under way`, {
    machine,
    retryable: true,
  })
}

/** Another look at the health follows, and until then the machine is not as the plan wants it. */
function unsettled({ plan, unit }: UnitWork, { status }: MachineRecord): Partial<Pick<MachineRecord, 'status'>> {
  const following = plan.units.some(
    ({ kind, machine, needs }) => kind === 'ready' && machine === unit.machine && needs.includes(unit.id),
  )
  return following && status === 'ready' ? { status: 'installed' } : {}
}

/** What can be changed while the service runs is, and need not be notified any more. */
async function ahead(service: RunningService | undefined, { machine, context }: PhaseInputs): Promise<string[]> {
  // A machine that was never configured has nothing running yet.
  if (!service || machine.releaseNumber === null) return []
  return service.toolkit.control.beforeConfigure(service.context, machineAccess(machine), context.parameters)
}
