import { readFileSync } from 'node:fs'
import { createClient } from '../../api/client.ts'
import { KitbagError } from '../../model/errors.ts'
import { findConnection } from '../connection.ts'
import { type OperationBody, watch } from '../follow.ts'
import { print, printJson, printTable } from '../output.ts'

interface CommandData {
  name: string
  summary: string
  command: string
  kind: string
  fixed?: Record<string, unknown>
  file?: string
  text?: string
}

interface Mounted extends CommandData {
  method: string
  path: string
}

type Document = { paths: Record<string, Record<string, { 'x-kitbag-cli'?: CommandData[] }>> }

/** Words of one toolkit command (`kitbag lb drain NAME BACKEND SERVER`), as the control plane's own OpenAPI document describes them. */
export async function toolkitCommand(
  command: string,
  words: string[],
  options: { json?: boolean; service?: string; set?: string[]; wait?: boolean },
): Promise<number> {
  const client = createClient(findConnection())
  const document = await client.json<Document>('GET', '/openapi.json')
  const known = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { 'x-kitbag-cli': data = [] }]): Mounted[] =>
      data.filter((entry) => entry.command === command).map((entry) => ({ ...entry, method, path })),
    ),
  )
  const [name, deployment, ...rest] = words
  const found = known.find((entry) => entry.name === name)
  if (!found || deployment === undefined) {
    for (const entry of known)
      print(
        `kitbag ${command} ${entry.name.padEnd(12)} ${['DEPLOYMENT', ...argumentsOf(entry)].join(' ').padEnd(28)} ${entry.summary}`,
      )
    if (found || name === undefined)
      throw new KitbagError('invalid-request', `kitbag ${command} ${name ?? ''} needs a deployment`.replace('  ', ' '))
    throw new KitbagError('invalid-request', `there is no kitbag ${command} ${name}`)
  }
  const wanted = argumentsOf(found)
  if (rest.length !== wanted.length)
    throw new KitbagError('invalid-request', `kitbag ${command} ${name} takes DEPLOYMENT ${wanted.join(' ')}`)
  const service = options.service ?? (await onlyService(client, deployment, found.kind))
  const values = [deployment, service, ...rest]
  const path = found.path.replace(/\{\w+\}/g, () => encodeURIComponent(values.shift() ?? ''))
  if (found.method === 'get') {
    const answer = await client.json<Record<string, unknown>>('GET', path)
    if (options.json) printJson(answer)
    else if (found.text !== undefined) print(String(answer[found.text]).trimEnd())
    else for (const rows of Object.values(answer)) printRows(rows)
    return 0
  }
  const file = found.file === undefined ? {} : { [found.file]: readText(values[0] ?? '') }
  const body = { ...fieldsOf(options.set ?? []), ...file, ...found.fixed }
  return watch(client, await client.json<OperationBody>(found.method.toUpperCase(), path, body), options)
}

/** `--set ttl=60s --set value=a --set value=b`: a field that is given more than once is a list. */
function fieldsOf(pairs: string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const pair of pairs) {
    const name = pair.split('=', 1)[0] ?? ''
    const value = literal(pair.slice(name.length + 1))
    fields[name] = Object.hasOwn(fields, name) ? [fields[name], value].flat() : value
  }
  return fields
}

/** Numbers, `true`, `false`, and JSON lists and objects as what they are; anything else is text. */
function literal(text: string): unknown {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  if (text === 'true' || text === 'false') return text === 'true'
  if (!/^[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new KitbagError('invalid-request', `${file} cannot be read: ${(error as Error).message}`)
  }
}

/** Path parameters after the deployment and the service, and the file that fills the body. */
function argumentsOf({ path, file }: Mounted): string[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => (match[1] ?? '').toUpperCase()).slice(2)
  return file === undefined ? names : [...names, 'FILE']
}

async function onlyService(client: ReturnType<typeof createClient>, deployment: string, kind: string): Promise<string> {
  const { services } = await client.json<{ services: { name: string; kind: string }[] }>(
    'GET',
    `/v1/deployments/${encodeURIComponent(deployment)}`,
  )
  const names = services.filter((service) => service.kind === kind).map((service) => service.name)
  const [only] = names
  if (names.length === 1 && only !== undefined) return only
  throw new KitbagError(
    'invalid-request',
    names.length === 0 ? `${deployment} has no ${kind}` : `${deployment} has several: ${names.join(', ')}`,
    {
      ...(names.length > 0 && { fix: 'Say which: --service NAME.' }),
    },
  )
}

function printRows(rows: unknown): void {
  if (!Array.isArray(rows) || rows.length === 0) return
  const simple = (value: unknown) => typeof value !== 'object' || value === null
  const columns = Object.keys(rows[0] as object).filter((key) =>
    rows.every((row) => simple((row as Record<string, unknown>)[key])),
  )
  printTable(
    columns.map((name) => name.toUpperCase()),
    rows.map((row) => columns.map((name) => String((row as Record<string, unknown>)[name] ?? '-'))),
  )
}
