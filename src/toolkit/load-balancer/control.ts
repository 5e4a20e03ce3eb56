import type { ToolkitControl } from '../contract.ts'
import { setChallenges } from './challenges.ts'
import { afterConfigure, beforeConfigure } from './convergence.ts'
import { drift } from './drift.ts'
import { retire } from './hand-over.ts'
import { join, leave } from './membership.ts'
import type { LoadBalancerSpec } from './schema.ts'

/** The running HAProxy, changed over its administration socket: docs/adr/0005. */
export const control: ToolkitControl<LoadBalancerSpec> = {
  leave,
  join,
  beforeConfigure,
  afterConfigure,
  drift,
  challenges: setChallenges,
  retire,
}
