import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext } from '../contract.ts'

/** The answer of the first of the service's machines that gives one. Throws the last failure, `conflict` when there are no machines. */
export async function asked<T>(
  { machines, service }: Pick<ControlContext<unknown>, 'machines' | 'service'>,
  ask: (node: MachineAccess) => Promise<T>,
): Promise<T> {
  let failure: unknown = new KitbagError('conflict', `${service} has no machine that was ready`, {
    fix: 'Deploy it first.',
  })
  for (const node of machines) {
    try {
      return await ask(node)
    } catch (error) {
      // What one refuses the other would refuse too.
      if (!(error instanceof KitbagError) || error.code === 'invalid-request') throw error
      failure = error
    }
  }
  throw failure
}
