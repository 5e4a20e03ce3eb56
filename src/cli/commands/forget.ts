import { KitbagError } from '../../model/errors.ts'
import { ask } from '../ask.ts'
import { connect, deploymentPath } from '../connect.ts'
import { submit, type WaitOptions } from '../watch.ts'
import type { Shown } from './deployments.ts'

/** Lets machines go, or a whole deployment, whose name has to be typed in a terminal; elsewhere `--yes` is needed for that. */
export async function forget(
  name: string,
  options: WaitOptions & { yes?: boolean; machine?: string[]; allowDataLoss?: string[] },
): Promise<number> {
  const { machine: machines, allowDataLoss } = options
  if (!machines && !options.yes) await confirm(name)
  const body = { ...(machines && { machines }), ...(allowDataLoss && { allowDataLoss }) }
  return submit(name, { kind: 'forget', ...body }, options)
}

async function confirm(name: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new KitbagError('invalid-request', `forgetting all of ${name} needs --yes where nobody can be asked`)
  const { machines } = await connect().json<Shown>('GET', deploymentPath(name))
  const count = machines.length === 1 ? 'Its machine runs' : `Its ${machines.length} machines run`
  const answer = await ask(
    `This forgets ${name}: releases, secrets and records go. ${count} on as they are, and nobody looks after them. Type its name to go on: `,
  )
  if (answer?.trim() !== name) throw new KitbagError('cancelled', 'nothing was forgotten')
}
