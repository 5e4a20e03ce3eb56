import { KitbagError } from '../../model/errors.ts'
import { ask } from '../ask.ts'
import { connect, deploymentPath } from '../connect.ts'
import { print, printJson, printTable } from '../output.ts'
import { readTextFile } from '../read-file.ts'

type Json = { json?: boolean }

const path = (deployment: string, name?: string) =>
  deploymentPath(deployment, name === undefined ? '/secrets' : `/secrets/${encodeURIComponent(name)}`)

/** The value comes from standard input or a file, never from the command line, which process lists show. */
export async function setSecret(deployment: string, name: string, options: Json & { file?: string }): Promise<void> {
  const value = (await readValue(name, options.file)).replace(/\n$/, '')
  if (value === '')
    throw new KitbagError('invalid-request', `no value was given for ${name}`, {
      fix: 'Pipe it in, or say --file FILE.',
    })
  const answer = await connect().json<{ version: number }>('PUT', path(deployment, name), { value })
  if (options.json) printJson(answer)
  else print(`${name} is set (version ${answer.version}); the next deploy uses it`)
}

async function readValue(name: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readTextFile(file)
  if (process.stdin.isTTY) return (await ask(`Value of ${name} (one line, not shown): `, { hidden: true })) ?? ''
  return standardInput()
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export async function listSecrets(deployment: string, options: Json): Promise<void> {
  const rows = await connect().all<{ name: string; version: number; createdAt: string }>(path(deployment))
  if (options.json) return printJson(rows)
  printTable(
    ['NAME', 'VERSION', 'SET'],
    rows.map((row) => [row.name, row.version, row.createdAt]),
  )
}

export async function removeSecret(deployment: string, name: string, options: Json): Promise<void> {
  await connect().json('DELETE', path(deployment, name))
  if (options.json) printJson({ removed: name })
  else print(`${name} is removed`)
}
