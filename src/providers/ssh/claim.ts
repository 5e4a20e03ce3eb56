import { createHash } from 'node:crypto'
import { z } from 'zod'
import { beforeFile, manifestFile, manifestFolder } from '../../lib/manifest.ts'
import { sh } from '../../lib/sh.ts'
import type { MachineTags } from '../contract.ts'

/** The mark on a machine: who has it. Its text is the same whenever the same token makes it. */
export interface Claim {
  installation: string
  deployment: string
  /** Kitbag's id of the machine. */
  machine: string
  /** `web-1` */
  name: string
  token: string
}

export const claimFolder = '/etc/kitbag'
export const claimFile = `${claimFolder}/claim.json`

const claimSchema = z.object({
  installation: z.string(),
  deployment: z.string(),
  machine: z.string(),
  name: z.string(),
  token: z.string(),
})

/** undefined: it is no mark that this Kitbag knows. */
export function parseClaim(text: string): Claim | undefined {
  try {
    return claimSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function claimText({ installation, deployment, machine }: MachineTags, name: string, token: string): string {
  return JSON.stringify({ installation, deployment, machine, name, token } satisfies Claim)
}

/** A machine's id as long as one token has it: a late call about an earlier use never means a later one. */
export function claimId(machine: string, token: string): string {
  return `${machine}~${createHash('sha256').update(token).digest('hex').slice(0, 16)}`
}

/**
 * Puts the mark, whole and on disk, unless there is one: whoever comes first has the machine, also among several installations. Prints
 * the mark that is there then. What is there, and what the journal has to lose at the end, is noted with the mark.
 */
export const claimCommand = sh`umask 077
[ -d ${claimFolder} ] || mkdir -m 0755 ${claimFolder} || [ -d ${claimFolder} ] || exit 1
new=${claimFolder}/.claim.$$
trap 'rm -f "$new"' EXIT
cat >"$new" && sync "$new" || exit 1
ln -T "$new" ${claimFile} 2>/dev/null && sync ${claimFolder}
if cmp -s "$new" ${claimFile} && [ ! -e ${manifestFile} ]; then
  mkdir -m 0755 -p ${manifestFolder} || exit 1
  find /etc /var/lib /var/log /var/cache /var/spool -xdev 2>/dev/null | LC_ALL=C sort >${beforeFile} || exit 1
  { [ -e /var/log/journal ] || echo made /var/log/journal; } >${manifestFile} || exit 1
fi
cat ${claimFile}`

/** Prints the mark, if there is one. */
export const readClaimCommand = sh`[ ! -e ${claimFile} ] || cat ${claimFile}`
