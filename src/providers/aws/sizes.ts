import { cheapestSize, type MachineSize } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import type { AwsSettings } from './settings.ts'
import table from './sizes.json' with { type: 'json' }

const mebibyte = 2 ** 20
const hoursPerMonth = 730

/** Types of the table, cheapest first. Their order by price is the same everywhere; the prices are those of `table.region`. */
export const sizes: MachineSize[] = table.sizes.map(([id, cpu, memory, architecture, hourly]) => ({
  id: String(id),
  cpu: Number(cpu),
  memory: Number(memory) * mebibyte,
  architecture: architecture === 'arm64' ? 'arm64' : 'amd64',
  hourly: Number(hourly),
}))

/** GiB that an image's root disk has when nobody asks for more; both publishers' images have 8. */
export const defaultDisk = 8

/** The cheapest type that the zone's region offers. Throws `not-supported` when none is big enough. */
export function chooseSize(
  { cpu, memory }: MachineRequirements,
  { architecture, size, region }: AwsSettings,
  offered: Set<string>,
): string {
  if (size !== undefined) return size
  const here = sizes.filter(({ id }) => offered.has(id))
  const found = cheapestSize(here, { cpu, memory, architecture })
  if (found) return found.id
  const asked = `${cpu} cpu and ${Math.ceil(memory / mebibyte)} MiB`
  throw new KitbagError('not-supported', `aws: no known ${architecture} type in ${region} has ${asked}`, {
    fix: "Ask for less, or name an instance type as size in the cloud's settings.",
  })
}

/** Of one hour, in `priceTable.currency`: machine, root disk, public address. undefined: not in the table, or of another region. */
export function hourlyPrice({ size, requirements }: ResolvedMachineSpec, settings: AwsSettings): number | undefined {
  const known = sizes.find(({ id }) => id === size)
  if (!known || settings.region !== table.region) return undefined
  const disk = diskGiB(requirements) * (table.diskGiBMonth[settings.disk.type] / hoursPerMonth)
  return known.hourly + disk + (settings.publicAddresses ? table.publicAddress : 0)
}

export function diskGiB({ disk }: MachineRequirements): number {
  return Math.max(defaultDisk, Math.ceil((disk ?? 0) / 2 ** 30))
}
