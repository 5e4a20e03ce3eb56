import { KitbagError } from '../../model/errors.ts'
import { jsonAssignment } from '../assignment.ts'
import { connect } from '../connect.ts'
import { print, printJson, printTable } from '../output.ts'
import { readTextFile } from '../read-file.ts'

type Json = { json?: boolean }

const path = (name: string, below = '') => `/v1/clouds/${encodeURIComponent(name)}${below}`

export async function addCloud(
  name: string,
  options: Json & { provider: string; set?: string[]; credentials?: string },
): Promise<void> {
  const { provider, credentials: file } = options
  const credentials = file === undefined ? {} : readJson(await readTextFile(file), file)
  const settings = Object.fromEntries((options.set ?? []).map(jsonAssignment))
  const cloud = await connect().json('POST', '/v1/clouds', { name, provider, settings, credentials })
  if (options.json) printJson(cloud)
  else print(`cloud ${name} is connected`)
}

function readJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new KitbagError('invalid-request', `${file}: it is not JSON`, { cause })
  }
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
