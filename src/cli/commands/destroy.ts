import { KitbagError } from '../../model/errors.ts'
import { ask } from '../ask.ts'
import { connect, deploymentPath } from '../connect.ts'
import { submit, type WaitOptions } from '../watch.ts'
import type { Shown } from './deployments.ts'

/**
 * Destroys a deployment. In a terminal its name has to be typed, which says yes to losing the data that the question names; elsewhere
 * `--yes` is needed, and `--allow-data-loss` for what holds data.
 */
export async function destroy(
  name: string,
  options: WaitOptions & { yes?: boolean; allowDataLoss?: string[]; deleteImported?: string[] },
): Promise<number> {
  let { allowDataLoss } = options
  if (!options.yes) {
    if (!process.stdin.isTTY)
      throw new KitbagError('invalid-request', `destroying ${name} needs --yes where nobody can be asked`)
    const { machines } = await connect().json<Shown>('GET', deploymentPath(name))
    const held = [...new Set(machines.filter(({ stateful }) => stateful).map(({ component }) => component))]
    const { deleteImported = [] } = options
    const kept = machines.filter((one) => one.imported && !deleteImported.includes(one.name))
    await confirm(
      name,
      machines.length - kept.length,
      held,
      kept.map((one) => one.name),
    )
    allowDataLoss = held
  }
  const { deleteImported } = options
  const body = { ...(allowDataLoss && { allowDataLoss }), ...(deleteImported && { deleteImported }) }
  return submit(name, { kind: 'destroy', ...body }, options)
}

async function confirm(name: string, machines: number, held: string[], kept: string[]): Promise<void> {
  const loss = held.length > 0 ? ` The data of ${held.join(', ')} is lost.` : ''
  const count = machines === 1 ? 'its machine' : `its ${machines} machines`
  const rest = kept.length > 0 ? ` Imported machines are let go and run on: ${kept.join(', ')}.` : ''
  const answer = await ask(`This destroys ${name} with ${count}.${loss}${rest} Type its name to go on: `)
  if (answer?.trim() !== name) throw new KitbagError('cancelled', 'nothing was destroyed')
}
