import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ControlContext } from '../contract.ts'

/**
 * The answer of the first of the service's machines that gives one. Throws `conflict` when there are no machines, what one of them
 * refuses, and when none answers a failure that says why of each.
 */
export async function asked<T>(
  { machines, service }: Pick<ControlContext<unknown>, 'machines' | 'service'>,
  ask: (node: MachineAccess) => Promise<T>,
): Promise<T> {
  const failures: KitbagError[] = []
  for (const node of machines) {
    try {
      return await ask(node)
    } catch (error) {
      // What one refuses the other would refuse too.
      if (!(error instanceof KitbagError) || error.code === 'invalid-request') throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (!first) throw new KitbagError('conflict', `${service} has no machine that was ready`, { fix: 'Deploy it first.' })
  if (first.code === 'not-found') throw first
  const names = machines.map(({ name }) => name).join(', ')
  throw new KitbagError(first.code, failures.map(({ message }) => message).join('; '), {
    cause: first,
    retryable: failures.some(({ retryable }) => retryable),
    ...(machines.length === 1 && { machine: names }),
    fix: `Look at what ${names} logged: kitbag logs DEPLOYMENT --all --machine ${machines[0]?.name} --since 15m`,
  })
}
