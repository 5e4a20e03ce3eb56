import { readFile } from 'node:fs/promises'
import { createClient } from '../../api/client.ts'
import { KitbagError } from '../../model/errors.ts'
import { findConnection } from '../connection.ts'
import { assignment } from '../describe.ts'
import { type OperationBody, watch } from '../follow.ts'
import { print, printJson, printTable } from '../output.ts'

const connect = () => createClient(findConnection())
type Json = { json?: boolean }

export async function cloudAdd(
  name: string,
  options: Json & { provider: string; set?: string[]; credentials?: string },
): Promise<void> {
  const credentials = options.credentials === undefined ? {} : JSON.parse(await readFile(options.credentials, 'utf8'))
  const settings = Object.fromEntries((options.set ?? []).map(assignment).map(([key, value]) => [key, jsonOr(value)]))
  const cloud = await connect().json('POST', '/v1/clouds', { name, provider: options.provider, settings, credentials })
  if (options.json) printJson(cloud)
  else print(`cloud ${name} is connected`)
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export async function cloudList(options: Json): Promise<void> {
  const rows = await connect().all<{ name: string; provider: string }>('/v1/clouds')
  if (options.json) printJson(rows)
  else
    printTable(
      ['NAME', 'PROVIDER'],
      rows.map((row) => [row.name, row.provider]),
    )
}

export async function cloudTest(name: string, options: Json): Promise<number> {
  const answer = await connect().json<{ ok: boolean; findings: { name: string; ok: boolean; detail: string }[] }>(
    'POST',
    `/v1/clouds/${encodeURIComponent(name)}/test`,
  )
  if (options.json) printJson(answer)
  else
    printTable(
      ['', 'WHAT', 'DETAIL'],
      answer.findings.map((row) => [row.ok ? 'ok' : 'FAIL', row.name, row.detail]),
    )
  return answer.ok ? 0 : 1
}

export async function cloudRemove(name: string, options: Json): Promise<void> {
  await connect().json('DELETE', `/v1/clouds/${encodeURIComponent(name)}`)
  if (options.json) printJson({ removed: name })
  else print(`cloud ${name} is forgotten`)
}

const secrets = (deployment: string) => `/v1/deployments/${encodeURIComponent(deployment)}/secrets`

/** The value comes from standard input or a file, never from the command line, which process lists show. */
export async function secretSet(deployment: string, name: string, options: Json & { file?: string }): Promise<void> {
  if (options.file === undefined && process.stdin.isTTY) process.stderr.write(`Value of ${name}, ended by Ctrl-D: `)
  const text = options.file === undefined ? await standardInput() : await readFile(options.file, 'utf8')
  const value = text.replace(/\n$/, '')
  if (value === '')
    throw new KitbagError('invalid-request', `no value was given for ${name}`, {
      fix: 'Pipe it in, or say --file FILE.',
    })
  const answer = await connect().json<{ version: number }>(
    'PUT',
    `${secrets(deployment)}/${encodeURIComponent(name)}`,
    { value },
  )
  if (options.json) printJson(answer)
  else print(`${name} is set (version ${answer.version}); the next deploy uses it`)
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export async function secretList(deployment: string, options: Json): Promise<void> {
  const rows = await connect().all<{ name: string; version: number; createdAt: string }>(secrets(deployment))
  if (options.json) printJson(rows)
  else
    printTable(
      ['NAME', 'VERSION', 'SET'],
      rows.map((row) => [row.name, row.version, row.createdAt]),
    )
}

export async function secretRemove(deployment: string, name: string, options: Json): Promise<void> {
  await connect().json('DELETE', `${secrets(deployment)}/${encodeURIComponent(name)}`)
  if (options.json) printJson({ removed: name })
  else print(`${name} is removed`)
}

export async function operations(deployment: string | undefined, options: Json): Promise<void> {
  const query = deployment === undefined ? '' : `?deployment=${encodeURIComponent(deployment)}`
  const rows = await connect().all<OperationBody & { createdAt: string }>(`/v1/operations${query}`)
  if (options.json) printJson(rows)
  else
    printTable(
      ['ID', 'DEPLOYMENT', 'KIND', 'STATUS', 'MADE'],
      rows.map((row) => [row.id, row.deployment, row.kind, row.status, row.createdAt]),
    )
}

export async function cancel(id: string, options: Json & { wait?: boolean }): Promise<number> {
  const client = connect()
  const operation = await client.json<OperationBody>('POST', `/v1/operations/${encodeURIComponent(id)}/cancel`)
  const status = await watch(client, operation, options)
  return options.wait === false ? status : 0
}

export async function sweep(options: Json & { remove?: boolean }): Promise<void> {
  const found = await connect().json<{
    machines: { id: string; name: string; cloud: string; removed: boolean }[]
    residue: string[]
  }>('POST', '/v1/sweep', { remove: options.remove === true })
  if (options.json) return printJson(found)
  if (found.machines.length === 0 && found.residue.length === 0) return print('nothing is left over')
  printTable(
    ['MACHINE', 'NAME', 'CLOUD', ''],
    found.machines.map((row) => [row.id, row.name, row.cloud, row.removed ? 'removed' : 'left over']),
  )
  for (const line of found.residue) print(line)
}

export async function schema(): Promise<void> {
  const { packageRoot } = await import('../../lib/package-root.ts')
  process.stdout.write(await readFile(`${packageRoot()}/schema/blueprint.schema.json`, 'utf8'))
}
