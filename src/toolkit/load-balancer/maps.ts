import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { change, command } from './runtime-socket.ts'

/** Lines of one question: HAProxy's buffer for it has 16 KiB. */
const mostLines = 50

/** Lines that make a map of the running process hold these entries and no others; none where it does. Throws as `command`. */
export async function mapLines(
  reach: Reach,
  node: MachineAccess,
  file: string,
  wanted: ReadonlyMap<string, string>,
): Promise<string[]> {
  const found = new Map(
    (await command(reach, node, `show map ${file}`)).split('\n').flatMap((line) => {
      const [, key, value] = /^0x\S+ (\S+) (\S+)$/.exec(line.trim()) ?? []
      return key === undefined || value === undefined ? [] : [[key, value] as const]
    }),
  )
  const gone = [...found.keys()].filter((key) => !wanted.has(key)).map((key) => `del map ${file} ${key}`)
  const other = [...wanted].flatMap(([key, value]) => {
    if (found.get(key) === value) return []
    return [`${found.has(key) ? 'set' : 'add'} map ${file} ${key} ${value}`]
  })
  return [...gone, ...other]
}

/** Makes a map of the running process hold these entries and no others; what is right already is not touched. Throws as `change`. */
export async function changeMap(
  reach: Reach,
  node: MachineAccess,
  file: string,
  wanted: ReadonlyMap<string, string>,
): Promise<void> {
  const lines = await mapLines(reach, node, file, wanted)
  for (let i = 0; i < lines.length; i += mostLines) await change(reach, node, ...lines.slice(i, i + mostLines))
}
