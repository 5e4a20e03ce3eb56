import { totalmem } from 'node:os'
import { mebibytes } from '../../lib/bytes.ts'
import { sizeWord } from '../../lib/machine-sizes.ts'
import { KitbagError } from '../../model/errors.ts'
import type { MachineRequirements, ResolvedMachineSpec } from '../../model/machine.ts'
import { imageId } from './images.ts'

const mebibyte = 1024 * 1024

/** Below it systemd and sshd do not run. */
const leastMemory = 64 * mebibyte

/** Any size can be had, up to what the box has. Throws `not-supported` for unknown images, `capacity-exceeded` for too much memory. */
export function resolve(
  requirements: MachineRequirements,
  placement: { region?: string; zones?: string[] },
  boxMemory = totalmem(),
): ResolvedMachineSpec {
  const { cpu, memory, image } = requirements
  if (placement.region !== undefined || placement.zones?.length) {
    const asked = placement.region ?? placement.zones?.join(', ')
    throw new KitbagError(
      'not-supported',
      `local: one box has neither regions nor zones, and the placement asks for "${asked}"`,
      {
        fix: 'Leave region and zones out of the placement for this cloud.',
      },
    )
  }
  const words = (bytes: number) => `${mebibytes(bytes)} MiB`
  if (memory < leastMemory) {
    throw new KitbagError(
      'not-supported',
      `local: a machine of ${words(memory)} cannot boot; it takes ${words(leastMemory)}`,
      {
        fix: `Ask for memory of ${words(leastMemory)} or more.`,
      },
    )
  }
  if (memory > boxMemory) {
    throw new KitbagError(
      'capacity-exceeded',
      `local: a machine of ${words(memory)} does not fit a box of ${words(boxMemory)}`,
      {
        fix: `Ask for less memory than ${words(boxMemory)}.`,
      },
    )
  }
  return { size: sizeWord({ cpu, memory }), image: imageId(image), requirements }
}
