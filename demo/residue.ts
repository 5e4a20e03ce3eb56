import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { ControlPlane } from './control-plane.ts'
import { kitbag } from './kitbag.ts'

const run = promisify(execFile)

/** What Kitbag itself still finds of this installation: machines at the clouds, and bridges, mounts, rules beside them. */
export async function residueAtClouds(plane: ControlPlane): Promise<string[]> {
  const swept = (await kitbag(['sweep'], plane)) as { machines: { id: string }[]; residue: string[] }
  return [...swept.machines.map(({ id }) => `machine ${id}`), ...swept.residue]
}

/** What the box itself shows under the demo's home once the control plane has ended: processes and mounts. */
export async function residueOnBox(home: string): Promise<string[]> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${home}/`))
    .map((line) => `mount ${line.split(' ')[1]}`)
  const { stdout } = await run('ps', ['-eo', 'pid=,args='], { maxBuffer: 16 << 20 })
  const processes = stdout
    .split('\n')
    .filter((line) => line.includes(`${home}/`))
    .map((line) => `process ${line.trim().slice(0, 120)}`)
  return [...mounts, ...processes]
}
