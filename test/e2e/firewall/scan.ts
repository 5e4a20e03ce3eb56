import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Guest } from '../../support/guest.ts'
import type { TestDeployment } from '../toolkit/deployment.ts'

const execute = promisify(execFile)
const scanner = fileURLToPath(new URL('scan.pl', import.meta.url))

/** All of them, as `scan` takes it: some seconds of a processor for each machine. */
export const everyPort = '1-65535'

/** Name -> TCP ports that accept, of `ports` (`1-1024,8080`), as seen from the box, which no blueprint knows, or from a machine. */
export async function scan(
  machines: { name: string; address: string | null }[],
  ports: string,
  from?: Guest,
): Promise<Record<string, number[]>> {
  const words = [scanner, ports, ...machines.map(({ address }) => address ?? '')]
  const said = from ? await from.inNetwork('perl', ...words) : (await execute('perl', words)).stdout
  const lines = said.trim().split('\n')
  const open = new Map(lines.map((line) => [line.split(' ')[0], line.split(' ').slice(1).map(Number)]))
  return Object.fromEntries(
    machines.map(({ name, address }) => {
      const found = open.get(address ?? '')
      if (!found) throw new Error(`${name} was not scanned: ${said}`)
      return [name, found]
    }),
  )
}

/** The same of all 65,535 for every machine of these components of a deployment, from the box or from one of its machines. */
export async function openPorts(
  deployment: TestDeployment,
  components: string[],
  from?: string,
): Promise<Record<string, number[]>> {
  const machines = (await Promise.all(components.map(deployment.machines))).flat()
  return scan(
    machines.filter(({ name }) => name !== from),
    everyPort,
    from === undefined ? undefined : await deployment.guest(from),
  )
}
