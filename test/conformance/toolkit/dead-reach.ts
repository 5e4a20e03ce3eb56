import { KitbagError } from '../../../src/model/errors.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import type { Reach } from '../../../src/model/reach.ts'

async function unreachable({ name }: MachineAccess): Promise<never> {
  throw new KitbagError('machine-unreachable', `${name} does not answer`, { machine: name, retryable: true })
}

/** To machines that are off. */
export const deadReach: Reach = {
  exec: unreachable,
  connectTcp: unreachable,
  connectUnix: unreachable,
  waitForSsh: unreachable,
  forget() {},
  async close() {},
}
