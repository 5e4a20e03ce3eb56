import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestDeployment } from '../toolkit/deployment.ts'

const execute = promisify(execFile)
const scanner = fileURLToPath(new URL('scan.pl', import.meta.url))

/**
 * Machine -> its TCP ports that accept, of all 65,535, for every machine of these components: as seen from the box, which no blueprint knows,
 * or from one of the deployment's machines.
 */
export async function openPorts(
  deployment: TestDeployment,
  components: string[],
  from?: string,
): Promise<Record<string, number[]>> {
  const machines = (await Promise.all(components.map(deployment.machines))).flat()
  const others = machines.filter(({ name }) => name !== from)
  const words = [scanner, ...others.map(({ address }) => address)]
  const said = from
    ? await (await deployment.guest(from)).inNetwork('perl', ...words)
    : (await execute('perl', words)).stdout
  const lines = said.trim().split('\n')
  const ports = new Map(lines.map((line) => [line.split(' ')[0], line.split(' ').slice(1).map(Number)]))
  return Object.fromEntries(
    others.map(({ name, address }) => {
      const found = ports.get(address)
      if (!found) throw new Error(`${name} was not scanned: ${said}`)
      return [name, found]
    }),
  )
}
