import { mkdir, readdir } from 'node:fs/promises'
import { z } from 'zod'
import { isMissing, readState, writeState } from '../../lib/state-file.ts'
import type { MachineTags } from '../contract.ts'
import { isMachineId } from './names.ts'
import type { LocalPaths } from './paths.ts'

const recordSchema = z.object({
  id: z.string(),
  name: z.string(),
  token: z.string(),
  cloud: z.string(),
  tags: z.object({ installation: z.string(), deployment: z.string(), machine: z.string() }),
  /** `making`: its layer may be half written; `made`: it shall run; `removing`: it shall not exist. */
  state: z.enum(['making', 'made', 'removing']),
  image: z.string(),
  cpu: z.number(),
  memory: z.number(),
  address: z.string(),
  /** It was let go, or taken in again after that. */
  imported: z.boolean().optional(),
  /** What it shares with the others of its deployment that have the same name here. */
  floating: z.object({ name: z.string(), address: z.string() }).optional(),
})

/** What is kept of a machine; its existence is the machine's. */
export type MachineRecord = z.infer<typeof recordSchema> & { tags: MachineTags }

export async function readRecord(paths: LocalPaths, id: string): Promise<MachineRecord | undefined> {
  const text = await readState(paths.machine(id).record)
  return text === undefined ? undefined : recordSchema.parse(JSON.parse(text))
}

export async function writeRecord(paths: LocalPaths, record: MachineRecord): Promise<void> {
  const { folder, record: file } = paths.machine(record.id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeState(file, `${JSON.stringify(record, undefined, 2)}\n`)
}

/** Ids of all machine folders of the installation, those without a record (half made or half removed) too. */
export async function machineFolders(paths: LocalPaths, installation: string): Promise<string[]> {
  try {
    return (await readdir(paths.machines)).filter((name) => isMachineId(installation, name)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

export async function readRecords(paths: LocalPaths, installation: string): Promise<MachineRecord[]> {
  const ids = await machineFolders(paths, installation)
  const records = await Promise.all(ids.map((id) => readRecord(paths, id)))
  return records.filter((record) => record !== undefined)
}
