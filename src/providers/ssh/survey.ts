import { type Survey as MachineSurvey, survey as surveyMachine } from '../../lib/survey/survey.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { ProviderSsh } from '../contract.ts'
import { type Claim, parseClaim } from './claim.ts'

/** What a machine said of itself, its mark read. */
export interface Survey extends MachineSurvey {
  claim?: Claim
  /** There is a mark that cannot be read. */
  unknownClaim: boolean
}

/** Looks at a machine as root. Throws `machine-unreachable`, `host-key-mismatch`; `provider-failed` where sudo is refused. */
export async function survey(ssh: ProviderSsh, machine: MachineAccess): Promise<Survey> {
  const found = await surveyMachine(ssh, machine)
  const claim = found.mark === undefined ? undefined : parseClaim(found.mark)
  return { ...found, ...(claim && { claim }), unknownClaim: found.mark !== undefined && claim === undefined }
}
