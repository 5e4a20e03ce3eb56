import { parseDocument } from 'yaml'
import { KitbagError } from '../../model/errors.ts'
import { jsonAssignment } from '../assignment.ts'
import { connect } from '../connect.ts'
import { print, printJson, printTable } from '../output.ts'
import { readTextFile } from '../read-file.ts'

type Json = { json?: boolean }

const path = (name: string, below = '') => `/v1/clouds/${encodeURIComponent(name)}${below}`

interface Given {
  set?: string[]
  settings?: string
  credentials?: string
}

export async function addCloud(name: string, options: Json & Given & { provider: string }): Promise<void> {
  const { provider } = options
  const cloud = await connect().json('POST', '/v1/clouds', { name, provider, ...(await readGiven(options)) })
  if (options.json) printJson(cloud)
  else print(`cloud ${name} is connected`)
}

/** `--set` changes single settings of those that the cloud has, or of the file's. */
export async function setCloud(name: string, options: Json & Given): Promise<void> {
  const api = connect()
  const has = await api.json<{ settings: Record<string, unknown> }>('GET', path(name))
  const cloud = await api.json('PUT', path(name), await readGiven(options, has.settings))
  if (options.json) printJson(cloud)
  else print(`cloud ${name} has its new settings`)
}

async function readGiven({ set = [], settings: file, credentials }: Given, has: Record<string, unknown> = {}) {
  const settings = file === undefined ? has : await readObject(file)
  return {
    settings: { ...settings, ...Object.fromEntries(set.map(jsonAssignment)) },
    ...(credentials !== undefined && { credentials: await readObject(credentials) }),
  }
}

/** A mapping in YAML, and so in JSON too. */
async function readObject(file: string): Promise<Record<string, unknown>> {
  const text = await readTextFile(file)
  const document = parseDocument(text)
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS()
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  const reason = document.errors[0]?.message.split('\n')[0] ?? 'it holds no names with values'
  throw new KitbagError('invalid-request', `${file}: not YAML or JSON as it should be: ${reason}`)
}

export async function listClouds(options: Json): Promise<void> {
  const rows = await connect().all<{ name: string; provider: string }>('/v1/clouds')
  if (options.json) return printJson(rows)
  if (rows.length === 0) return print('No cloud is connected yet: kitbag cloud add NAME --provider KIND connects one.')
  printTable(
    ['NAME', 'PROVIDER'],
    rows.map((row) => [row.name, row.provider]),
  )
}

export async function testCloud(name: string, options: Json): Promise<number> {
  const answer = await connect().json<{ ok: boolean; findings: { name: string; ok: boolean; detail: string }[] }>(
    'POST',
    path(name, '/test'),
  )
  if (options.json) printJson(answer)
  else
    printTable(
      ['', 'WHAT', 'DETAIL'],
      answer.findings.map((row) => [row.ok ? 'ok' : 'FAIL', row.name, row.detail]),
    )
  return answer.ok ? 0 : 1
}

export async function removeCloud(name: string, options: Json): Promise<void> {
  await connect().json('DELETE', path(name))
  if (options.json) printJson({ removed: name })
  else print(`cloud ${name} is forgotten`)
}
