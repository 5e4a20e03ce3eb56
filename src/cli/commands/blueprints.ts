import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../lib/package-root.ts'
import { KitbagError } from '../../model/errors.ts'
import { assignment } from '../assignment.ts'
import { type DescribeOptions, deploymentName, describeBlueprint, readBlueprint } from '../blueprint-file.ts'
import { connect, deploymentPath } from '../connect.ts'
import { print, printJson } from '../output.ts'
import { type PricedPlan, planText } from '../plan-text.ts'
import { submit, type WaitOptions } from '../watch.ts'

interface DeployOptions extends DescribeOptions, WaitOptions {
  plan?: string
  allowDataLoss?: string[]
  keepFailed?: boolean
  canary?: string
  onConflict?: string
}

export async function deploy(file: string, options: DeployOptions): Promise<number> {
  const { plan: digest, allowDataLoss, keepFailed, canary, onConflict } = options
  const blueprint = await readBlueprint(file)
  const name = deploymentName(blueprint, options.name)
  const body = {
    kind: 'deploy',
    ...(await describeBlueprint(connect(), blueprint, options)),
    ...(digest && { plan: digest }),
    ...(allowDataLoss && { allowDataLoss }),
    ...(keepFailed && { keepFailed }),
    ...(canary !== undefined && { canary: canaryOf(canary) }),
    ...(onConflict && { onConflict }),
  }
  return submit(name, body, options)
}

/** `web=10` */
function canaryOf(text: string): { component: string; share: number } {
  const [component, percent] = assignment(text)
  if (/^[1-9]\d?%?$/.test(percent)) return { component, share: Number.parseInt(percent, 10) }
  throw new KitbagError('invalid-request', `"${percent}" is no share of the traffic of ${component}: 1 to 99 percent`)
}

export async function plan(
  file: string,
  options: DescribeOptions & { json?: boolean; exitCode?: boolean },
): Promise<number> {
  const client = connect()
  const blueprint = await readBlueprint(file)
  const path = deploymentPath(deploymentName(blueprint, options.name), '/plan')
  const made = await client.json<PricedPlan>('POST', path, await describeBlueprint(client, blueprint, options))
  if (options.json) printJson(made)
  else for (const line of planText(made).split('\n')) print(line)
  return options.exitCode && made.units.length > 0 ? 2 : 0
}

export async function validate(file: string, options: DescribeOptions & { json?: boolean }): Promise<void> {
  const client = connect()
  const body = await describeBlueprint(client, await readBlueprint(file), options)
  const answer = await client.json<{ name: string; secrets: string[] }>('POST', '/v1/validate', body)
  if (options.json) return printJson(answer)
  print(`${file}: the blueprint ${answer.name} is right`)
  if (answer.secrets.length > 0) print(`It needs secrets (kitbag secret set): ${answer.secrets.join(', ')}`)
}

export async function schema(): Promise<void> {
  process.stdout.write(await readFile(join(packageRoot(), 'schema/blueprint.schema.json'), 'utf8'))
}
