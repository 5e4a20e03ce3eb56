import { KitbagError } from '../../model/errors.ts'
import { firewallName } from '../../planner/firewall.ts'
import { compile } from '../../recipes/compile.ts'
import { configureDigestsNow, phaseInputs } from '../phase-inputs.ts'
import { runCompiled } from '../run-phase.ts'
import type { UnitWork } from '../unit-work.ts'

/** Brings a machine's firewall in line with who may come to it now, and nothing else of it. */
export async function admit(work: UnitWork, mostRounds: number): Promise<void> {
  const { machines } = work.deps.store
  const { machine: name } = work.unit
  for (let round = 1; round <= mostRounds; round++) {
    const { machine, extras, firewall, secrets } = await phaseInputs(work, 'configure')
    const part = extras.find((extra) => extra.name === firewallName)
    // Its configure of this plan was the first, or took it away.
    if (!part || firewall === undefined || firewall === machine.firewallDigest) return
    await machines.update(machine.id, { firewallDigest: '' })
    const { givesBack: manifest = false } = await work.deps.clouds.capabilities(machine.cloudId)
    const options = { mode: 'apply', secrets, manifest, part: true } as const
    const program = compile(part.recipe, 'configure', part.context, options)
    await runCompiled(work, machine, program, { phase: 'configure', secrets, mode: 'apply' })
    if ((await configureDigestsNow(work)).firewall === firewall) {
      await machines.update(machine.id, { firewallDigest: firewall })
      return
    }
  }
  throw new KitbagError('conflict', `${name}: who may come to it changed ${mostRounds} times under way`, {
    machine: name,
    retryable: true,
  })
}
