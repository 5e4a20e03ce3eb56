import { basename } from 'node:path'
import { Readable } from 'node:stream'
import type { Client } from '../../api/client.ts'
import { packFiles } from '../../lib/archive/pack.ts'
import { sha256 } from '../../lib/digest.ts'
import { nearest } from '../../lib/nearest.ts'
import { KitbagError } from '../../model/errors.ts'
import { assignment } from '../assignment.ts'
import { connect, deploymentPath } from '../connect.ts'
import { fieldValue } from '../field-value.ts'
import type { OperationBody } from '../operation.ts'
import { print, printJson, printTable } from '../output.ts'
import { readBytes, readTextFile } from '../read-file.ts'
import { argumentsOf, type ToolkitCommandRoute, toolkitCommands, usageOf } from '../toolkit-commands.ts'
import { upload } from '../upload.ts'
import { watch } from '../watch.ts'

interface ToolkitOptions {
  json?: boolean
  service?: string
  set?: string[]
  wait?: boolean
  /** Files, by the field that they fill. */
  [file: string]: unknown
}

/** One toolkit command (`kitbag lb drain NAME BACKEND SERVER`), as the control plane's own OpenAPI document describes it. */
export async function toolkitCommand(command: string, words: string[], options: ToolkitOptions): Promise<number> {
  const client = connect()
  const known = await toolkitCommands(client, command)
  const [name, deployment, ...rest] = words
  if (name === undefined) return listWords(command, known, options)
  const found = known.find((entry) => entry.name === name)
  if (!found) throw unknownWord(command, name, known)
  if (deployment === undefined || rest.length !== argumentsOf(found).length)
    throw new KitbagError('invalid-request', `kitbag ${command} ${name} takes ${usageOf(found)}`)
  const service = options.service ?? (await onlyService(client, deployment, found.kind))
  const values = [deployment, service, ...rest]
  const path = found.path.replace(/\{\w+\}/g, () => encodeURIComponent(values.shift() ?? ''))
  const fields = bodyOf(command, found, options.set ?? [])
  for (const field of found.arguments ?? []) fields[field] = fieldValue(found.fields[field] ?? {}, values.shift() ?? '')
  if (found.method === 'get') return tell(found, await client.json('GET', withQuery(path, fields)), options)
  if (found.file !== undefined) fields[found.file] = await readTextFile(values[0] ?? '')
  if (found.archive !== undefined) fields[found.archive] = await uploadFile(client, values[0] ?? '')
  for (const field of found.files ?? []) fields[field] = await readTextFile(fileOf(found, field, options))
  const answer = await client.json<Record<string, unknown>>(found.method.toUpperCase(), path, fields)
  if (!found.operation) return tell(found, answer, options)
  return watch(client, answer as unknown as OperationBody, options)
}

function withQuery(path: string, fields: Record<string, unknown>): string {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, String(one)]),
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

function tell({ text, each }: ToolkitCommandRoute, answer: Record<string, unknown>, { json }: ToolkitOptions): number {
  if (json) printJson(answer)
  else if (text !== undefined) print(String(answer[text]).trimEnd())
  else for (const rows of Object.values(answer)) printRows(each === undefined ? rows : lines(rows, each))
  return 0
}

/** Each entry of the rows' list, with the rest of its row before it. */
function lines(rows: unknown, each: string): unknown {
  if (!Array.isArray(rows)) return rows
  return rows.flatMap(({ [each]: entries, ...row }: Record<string, unknown>) =>
    [entries ?? []].flat().map((entry) => ({ ...row, ...(entry as object) })),
  )
}

/** Uploads a file as an archive that holds it alone; gives the archive's digest. */
async function uploadFile(client: Client, file: string): Promise<string> {
  const bytes = await packFiles({ [basename(file)]: await readBytes(file) })
  const digest = sha256(bytes)
  await upload(client, [{ digest, stream: () => Readable.from([bytes]) }])
  return digest
}

function listWords(command: string, known: ToolkitCommandRoute[], { json }: ToolkitOptions): number {
  const rows = known.map((entry) => ({ name: entry.name, usage: usageOf(entry), summary: entry.summary }))
  if (json) printJson(rows)
  else
    printTable(
      ['COMMAND', 'TAKES', ''],
      rows.map(({ name, usage, summary }) => [`kitbag ${command} ${name}`, usage, summary]),
    )
  return 0
}

function unknownWord(command: string, found: string, known: ToolkitCommandRoute[]): KitbagError {
  const allowed = known.map(({ name }) => name)
  const near = nearest(found, allowed)
  return new KitbagError('invalid-request', `there is no kitbag ${command} ${found}`, {
    problems: [{ path: command, message: 'unknown word', found, allowed, ...(near && { nearest: near }) }],
    fix: `See kitbag ${command}.`,
  })
}

function fileOf({ command, name }: ToolkitCommandRoute, field: string, options: ToolkitOptions): string {
  const file = options[field]
  if (typeof file === 'string') return file
  throw new KitbagError('invalid-request', `kitbag ${command} ${name} takes --${field} FILE`)
}

function bodyOf(command: string, route: ToolkitCommandRoute, set: string[]): Record<string, unknown> {
  const { name, fields, fixed } = route
  const body: Record<string, unknown> = {}
  for (const [field, text] of set.map(assignment)) {
    const schema = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (!schema) throw unknownField(`${command} ${name}`, field, Object.keys(fields))
    const value = fieldValue(schema, text)
    // A field that is given more than once is a list.
    body[field] = Object.hasOwn(body, field) ? [body[field], value].flat() : value
  }
  return { ...body, ...fixed }
}

function unknownField(command: string, found: string, allowed: string[]): KitbagError {
  const near = nearest(found, allowed)
  return new KitbagError('invalid-request', `kitbag ${command}: there is nothing called ${found} to set`, {
    problems: [{ path: found, message: 'unknown field', found, allowed, ...(near && { nearest: near }) }],
  })
}

async function onlyService(client: Client, deployment: string, kind: string): Promise<string> {
  const { services } = await client.json<{ services: { name: string; kind: string }[] }>(
    'GET',
    deploymentPath(deployment),
  )
  const names = services.filter((service) => service.kind === kind).map((service) => service.name)
  const [only] = names
  if (names.length === 1 && only !== undefined) return only
  if (names.length === 0) throw new KitbagError('invalid-request', `${deployment} has no ${kind}`)
  throw new KitbagError('invalid-request', `${deployment} has several: ${names.join(', ')}`, {
    fix: 'Say which: --service NAME.',
  })
}

/** `sessionsTotal` -> `SESSIONS TOTAL` */
function heading(field: string): string {
  return field.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toUpperCase()
}

/** A table for people: what is simple, and not nothing in every row. */
function printRows(rows: unknown): void {
  if (!Array.isArray(rows) || rows.length === 0) return
  const cells = (field: string) => rows.map((row) => (row as Record<string, unknown>)[field] ?? '')
  const isSimple = (field: string) => cells(field).every((value) => typeof value !== 'object')
  const tells = (field: string) => cells(field).some((value) => value !== '' && value !== 0 && value !== false)
  const columns = Object.keys(rows[0] as object).filter((field) => isSimple(field) && tells(field))
  printTable(
    columns.map(heading),
    rows.map((_, i) => columns.map((field) => String(cells(field)[i]))),
  )
}
