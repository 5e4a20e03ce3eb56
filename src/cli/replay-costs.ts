import type { Client } from '../api/client.ts'
import { addUp, amount, type DeploymentCosts } from '../model/cost.ts'
import type { Policy, ReplayOptions } from '../toolkit/autoscaler/replay.ts'
import { deploymentPath } from './connect.ts'

/** What a deployment costs now, by the prices of its clouds. */
export async function readCosts(client: Client, deployment: string): Promise<DeploymentCosts> {
  return (await client.json<{ costs: DeploymentCosts }>('GET', deploymentPath(deployment))).costs
}

/** Of a month: a machine of the policy's component (null: not known), and the deployment's other machines. */
export function costsFor(
  { component }: Policy,
  costs: DeploymentCosts | undefined,
): { each: number | null; others?: ReplayOptions['others'] } {
  const own = costs?.components.find((one) => one.component === component)
  if (!costs || !own) return { each: null }
  const rest = costs.components.filter((one) => one !== own)
  const machines = rest.reduce((count, one) => count + one.machines, 0)
  // Of several currencies there is no total, neither of all nor of the others.
  const cost = costs.total.total === null ? null : addUp(rest.map(({ total }) => total))
  return { each: own.total === null ? null : amount(own.total / own.machines), others: { machines, cost } }
}
