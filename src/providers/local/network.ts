import { createHash } from 'node:crypto'
import { access, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readState, writeState } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import { ensureRules, removeRules } from './firewall.ts'
import { withLock } from './lock.ts'
import { bridgeName } from './names.ts'
import type { LocalPaths } from './paths.ts'
import { run, tryRun } from './run.ts'
import { chooseSubnet, gatewayOf, macOf } from './subnets.ts'

const networkSchema = z.object({
  bridge: z.string(),
  subnet: z.string(),
  /** The address given last, so that a freed one rests. */
  last: z.string().optional(),
})

/** The installation's network on this box. */
export type LocalNetwork = z.infer<typeof networkSchema>

/** All installations of the box choose their subnets one after the other. */
const boxLock = '/run/lock/kitbag-network.lock'

async function readNetwork(paths: LocalPaths): Promise<LocalNetwork | undefined> {
  const text = await readState(paths.network)
  return text === undefined ? undefined : networkSchema.parse(JSON.parse(text))
}

export async function writeNetwork(paths: LocalPaths, network: LocalNetwork): Promise<void> {
  await writeState(paths.network, `${JSON.stringify(network)}\n`)
}

/** Makes what is missing of the installation's network: subnet, bridge, forwarding, rules. The caller holds the network's lock. */
export async function ensureNetwork(paths: LocalPaths, installation: string): Promise<LocalNetwork> {
  const network = (await readNetwork(paths)) ?? (await choose(paths, installation))
  await Promise.all([ensureBridge(network), ensureRules(network, installation), ensureForwarding()])
  return network
}

/** Removes bridge and rules, and forgets the subnet. What is gone already is fine. The caller holds the network's lock. */
export async function removeNetwork(paths: LocalPaths, installation: string): Promise<void> {
  const bridge = bridgeName(installation)
  if (await bridgeExists(bridge)) await run('ip', ['link', 'delete', bridge])
  await removeRules(installation)
  await rm(paths.network, { force: true })
}

async function choose(paths: LocalPaths, installation: string): Promise<LocalNetwork> {
  const bridge = bridgeName(installation)
  return withLock(boxLock, async () => {
    const seed = createHash('sha256').update(installation).digest().readUInt32BE(0)
    const subnet = chooseSubnet(seed, await routes())
    if (!subnet) {
      throw new KitbagError('capacity-exceeded', 'local: every private /24 of this box is in use by its routes', {
        fix: 'Remove a route that covers all private ranges, or use another box.',
      })
    }
    const network = { bridge, subnet }
    await ensureBridge(network)
    await writeNetwork(paths, network)
    return network
  })
}

/** Everything that the box routes elsewhere; a default route covers all and counts for nothing. */
async function routes(): Promise<string[]> {
  const text = await run('ip', ['-4', '-json', 'route', 'show', 'table', 'all'])
  const parsed = z.array(z.object({ dst: z.string() })).parse(JSON.parse(text || '[]'))
  return parsed.map(({ dst }) => dst).filter((dst) => /^\d+\.\d+\.\d+\.\d+(\/[1-9]\d*)?$/.test(dst))
}

async function ensureBridge({ bridge, subnet }: LocalNetwork): Promise<void> {
  const gateway = gatewayOf(subnet)
  if (!(await bridgeExists(bridge))) {
    // An address of its own, else the bridge takes over the lowest of its ports' and changes with them.
    await run('ip', ['link', 'add', bridge, 'address', macOf(gateway), 'type', 'bridge', 'stp_state', '0'])
    // A booting guest is asked for 20 times a second, not once: who waits for it sees it as soon as it is there.
    await writeFile(`/proc/sys/net/ipv4/neigh/${bridge}/retrans_time_ms`, '50\n')
  }
  const { stdout } = await tryRun('ip', ['-4', '-oneline', 'address', 'show', 'dev', bridge])
  if (!stdout.includes(` ${gateway}/24 `)) await run('ip', ['address', 'replace', `${gateway}/24`, 'dev', bridge])
  await run('ip', ['link', 'set', bridge, 'up'])
}

async function bridgeExists(bridge: string): Promise<boolean> {
  return access(join('/sys/class/net', bridge)).then(
    () => true,
    () => false,
  )
}

async function ensureForwarding(): Promise<void> {
  const file = '/proc/sys/net/ipv4/ip_forward'
  if ((await readState(file))?.trim() !== '1') await writeFile(file, '1\n')
}
