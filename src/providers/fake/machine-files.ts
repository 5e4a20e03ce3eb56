import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProviderMachine } from '../contract.ts'

/** One JSON file per machine; written aside and renamed, so that a killed process leaves a whole one or none. */
export function createMachineFiles(folder: string) {
  const file = (id: string) => join(folder, `${id}.json`)

  async function read(id: string): Promise<ProviderMachine | undefined> {
    if (!/^fake-[0-9a-f]{16}$/.test(id)) return undefined
    const text = await readFile(file(id), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as ProviderMachine)
  }

  return {
    read,
    async all(): Promise<ProviderMachine[]> {
      const names = await readdir(folder).catch(() => [])
      const machines = await Promise.all(
        names.filter((name) => name.endsWith('.json')).map((name) => read(name.slice(0, -'.json'.length))),
      )
      return machines.filter((machine) => machine !== undefined)
    },
    async write(machine: ProviderMachine): Promise<void> {
      await mkdir(folder, { recursive: true })
      const temporary = `${file(machine.id)}.${process.pid}.${Math.random().toString(36).slice(2)}`
      await writeFile(temporary, JSON.stringify(machine))
      await rename(temporary, file(machine.id))
    },
    async remove(id: string): Promise<void> {
      await rm(file(id), { force: true })
    },
  }
}
