import { createHash } from 'node:crypto'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Lower-case base 32 of a sha256, `length` characters (5 bits each). */
function digest(text: string, length: number): string {
  const bytes = createHash('sha256').update(text).digest()
  return Array.from(bytes.subarray(0, length), (byte) => alphabet[byte % 32]).join('')
}

/** First characters of every machine id of an installation. */
export function machinePrefix(installation: string): string {
  return digest(installation, 4)
}

/**
 * A machine's id, made from its creation token: so the same token names the same machine whoever asks, with no table of tokens.
 * 12 characters, because the host's end of its cable is called `vb-<id>` and Linux allows 15.
 */
export function machineId(installation: string, cloud: string, token: string): string {
  return machinePrefix(installation) + digest(`${installation}\n${cloud}\n${token}`, 8)
}

export function isMachineId(installation: string, id: string): boolean {
  return new RegExp(`^${machinePrefix(installation)}[a-z2-7]{8}$`).test(id)
}

/** What names of bridges begin with. */
export const bridgePrefix = 'kb'

/** The installation's bridge. */
export function bridgeName(installation: string): string {
  return `${bridgePrefix}${createHash('sha256').update(installation).digest('hex').slice(0, 8)}`
}

/** The host's end of a machine's cable, as systemd-nspawn names it. */
export function cableName(id: string): string {
  return `vb-${id}`
}

/** A machine's control group, and its scope where systemd runs the box. */
export function groupName(id: string): string {
  return `kitbag-${id}`
}

/** Where systemd-nspawn keeps what of its guests. */
export const nspawnFolder = '/run/systemd/nspawn'

/** Folder by which mounts would be handed into a running machine. */
export function propagated(id: string): string {
  return `${nspawnFolder}/propagate/${id}`
}

/** Marks the installation's iptables rules. */
export function ruleComment(installation: string): string {
  return `kitbag ${installation}`
}

/** Variable in the environment of every process outside of the guests that belongs to an installation's machines. */
export function installationMark(installation: string): string {
  return `KITBAG_INSTALLATION=${installation}`
}

/** The same for one machine. */
export function machineMark(id: string): string {
  return `KITBAG_ID=${id}`
}
