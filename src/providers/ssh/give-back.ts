import { refused } from '../../lib/survey/survey.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ProviderSsh } from '../contract.ts'
import { cleanScript, otherMark } from './clean-script.ts'

/** Milliseconds: packages may have to be purged. */
const patience = 600_000

/**
 * Cleans a machine that carries this token's mark, and takes the mark off; a machine that does not carry it stays as it is. Throws
 * `provider-failed` (retryable) with what could not be removed, `machine-unreachable`.
 */
export async function giveBack(
  ssh: ProviderSsh,
  machine: MachineAccess,
  { token, purge }: { token: string; purge: boolean },
): Promise<void> {
  const options = { root: true, stdin: cleanScript(token, { purge }), timeout: patience }
  const answer = await ssh.exec(machine, 'sh', options)
  if (answer.status === otherMark || /^clean$/m.test(answer.stdout)) return
  if (/sudo/.test(answer.stderr)) throw refused(machine, answer)
  const said = `${answer.stdout}\n${answer.stderr}`.trim()
  throw new KitbagError('provider-failed', `${machine.name} could not be cleaned: ${said.split('\n')[0]}`, {
    machine: machine.name,
    retryable: true,
    output: said.split('\n').slice(-20).join('\n'),
    fix: `Look at it, and destroy again; it keeps its mark until it is clean.`,
  })
}
