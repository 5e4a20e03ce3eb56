import { connect } from '../connect.ts'
import { print, printJson, printTable } from '../output.ts'

interface Report {
  machines: { id: string; name: string; cloud: string; removed: boolean }[]
  addresses: { address: string; name: string; cloud: string; removed: boolean }[]
  residue: string[]
}

/** What is at the clouds and belongs to no deployment. */
export async function sweep(options: { json?: boolean; remove?: boolean }): Promise<void> {
  const found = await connect().json<Report>('POST', '/v1/sweep', { remove: options.remove === true })
  if (options.json) return printJson(found)
  const { machines, addresses, residue } = found
  const strays = [...machines, ...addresses.map(({ address: id, ...row }) => ({ id, ...row }))]
  if (strays.length === 0 && residue.length === 0) return print('nothing is left over')
  if (strays.length > 0) {
    printTable(
      ['MACHINE OR ADDRESS', 'NAME', 'CLOUD', ''],
      strays.map((row) => [row.id, row.name, row.cloud, row.removed ? 'removed' : 'left over']),
    )
    if (!options.remove) print('kitbag sweep --remove removes them.')
  }
  for (const line of residue) print(line)
}
