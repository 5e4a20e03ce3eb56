import type { DeploymentCosts } from '../../model/cost.ts'
import { KitbagError } from '../../model/errors.ts'
import { assignment } from '../assignment.ts'
import { connect, deploymentPath } from '../connect.ts'
import { deploymentCostsText } from '../costs-text.ts'
import { print, printJson, printTable } from '../output.ts'
import { submit, type WaitOptions } from '../watch.ts'

/** A deployment as the API shows it. */
export interface Shown {
  name: string
  cloud: string | null
  status: string
  release: number | null
  url?: string
  machines: {
    name: string
    component: string
    on?: string
    status: string
    address: string | null
    release: number | null
    stateful: boolean
    imported: boolean
    drifted: boolean
  }[]
  canary: { component: string; release: number; share: number; machines: string[] } | null
  costs: DeploymentCosts
  operation: { id: string; kind: string; status: string } | null
}

export function scale(
  name: string,
  counts: string[],
  options: WaitOptions & { allowDataLoss?: string[] },
): Promise<number> {
  const wanted = counts.map(assignment).map(([component, count]) => {
    if (!/^\d{1,4}$/.test(count))
      throw new KitbagError('invalid-request', `"${count}" is not a number of machines for ${component}`)
    return [component, Number(count)]
  })
  const { allowDataLoss } = options
  const body = { kind: 'scale', scale: Object.fromEntries(wanted), ...(allowDataLoss && { allowDataLoss }) }
  return submit(name, body, options)
}

export function heal(
  name: string,
  machines: string[],
  options: WaitOptions & { allowDataLoss?: string[] },
): Promise<number> {
  const { allowDataLoss } = options
  return submit(name, { kind: 'heal', machines, ...(allowDataLoss && { allowDataLoss }) }, options)
}

export function check(name: string, options: WaitOptions): Promise<number> {
  return submit(name, { kind: 'check' }, options)
}

export async function list(options: { json?: boolean }): Promise<void> {
  const rows = await connect().all<Shown & { machines: number; cloud: string }>('/v1/deployments')
  if (options.json) return printJson(rows)
  if (rows.length === 0) return print('There are no deployments yet: kitbag deploy FILE --cloud CLOUD makes one.')
  printTable(
    ['NAME', 'STATUS', 'RELEASE', 'MACHINES', 'CLOUD'],
    rows.map((row) => [row.name, row.status, row.release, row.machines, row.cloud]),
  )
}

export async function show(name: string, options: { json?: boolean }): Promise<void> {
  const shown = await connect().json<Shown>('GET', deploymentPath(name))
  if (options.json) return printJson(shown)
  const { status, release, cloud, url, machines, canary, costs, operation } = shown
  print(`${shown.name}: ${status}, release ${release ?? '-'}, cloud ${cloud ?? '-'}`)
  if (url) print(url)
  if (canary)
    print(
      `on trial: release ${canary.release} on ${canary.machines.join(', ')}, ${canary.share} % of ${canary.component}`,
    )
  for (const line of deploymentCostsText(costs)) print(line)
  if (operation && operation.status !== 'succeeded')
    print(`last operation: ${operation.kind} ${operation.status} (kitbag operations ${operation.id} says more)`)
  if (machines.length === 0) return
  print('')
  printTable(
    ['MACHINE', 'COMPONENT', 'STATUS', 'ADDRESS', 'RELEASE', ''],
    machines.map(({ on, ...m }) => [
      m.name,
      m.component,
      m.status,
      m.address,
      m.release,
      [...(on === undefined ? [] : [`on ${on}`]), ...(m.drifted ? ['drifted'] : [])].join(', '),
    ]),
  )
}
