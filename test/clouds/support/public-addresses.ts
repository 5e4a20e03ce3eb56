import { run, tryRun } from '../../../src/providers/local/run.ts'

/** Addresses of a test cloud that reach its machines as public ones do: the cloud translates, the machine knows only its private one. */
export interface PublicAddresses {
  /** The first three bytes of all of them, `100.77.13.`; no two clouds on one box have the same. */
  prefix: string
  /** Public -> private address: from now on these, and no others, reach a machine. None: nothing of it stays on the box. */
  publish(addresses: ReadonlyMap<string, string>): Promise<void>
  /** Makes the box send them to the bridge, which goes with the last machine and is made again. */
  route(): Promise<void>
  /** What is left of them on this box. */
  residue(): Promise<string[]>
}

/**
 * For the network of a bridge of this box. They are of 100.64.0.0/10, which is nobody's on the internet, with the bytes of the network itself;
 * the box routes them to that bridge, so one that no machine has answers nobody. The rules are in a chain of their own.
 */
export function publicAddresses(bridge: string, subnet: string): PublicAddresses {
  const [, second = 0, third = 0] = subnet.split(/[./]/).map(Number)
  const prefix = `100.${64 + (second % 64)}.${third}.`
  const range = `${prefix}0/24`
  const chain = `${bridge}-public`
  const translated = ['-s', subnet, '-d', subnet, '-m', 'conntrack', '--ctstate', 'DNAT']
  const jumps = [
    ['PREROUTING', '-d', range, '-j', chain],
    ['OUTPUT', '-d', range, '-j', chain],
    // A machine that comes to another one by its public address: the answer has to come back the same way.
    ['POSTROUTING', ...translated, '-m', 'comment', '--comment', chain, '-j', 'MASQUERADE'],
  ]
  /** What holds at present, as it is given to iptables; undefined while that is being changed, or could not be. */
  let current: string | undefined = ''
  let last: Promise<void> = Promise.resolve()

  const nat = (...words: string[]) => run('iptables', ['--wait', '-t', 'nat', ...words])
  async function rules(): Promise<string[]> {
    const { stdout } = await tryRun('iptables', ['--wait', '-t', 'nat', '-S'])
    return stdout.split('\n').filter((line) => line.includes(chain))
  }
  const has = (found: string[], from = '') => found.some((line) => line.startsWith(`-A ${from} `))

  const routing = ['route', 'replace', range, 'dev', bridge]

  async function change(addresses: ReadonlyMap<string, string>): Promise<void> {
    const lines = [...addresses].map(([from, to]) => `-A ${chain} -d ${from}/32 -j DNAT --to-destination ${to}\n`)
    const wanted = lines.sort().join('')
    if (wanted === current) return
    current = undefined
    if (wanted === '') await remove()
    else await set(wanted)
    current = wanted
  }

  async function set(wanted: string): Promise<void> {
    // All at once: there is no moment at which an address that stays reaches nobody.
    const stdin = `*nat\n:${chain} - [0:0]\n${wanted}COMMIT\n`
    await run('iptables-restore', ['--noflush', '--wait'], { stdin })
    // Without a machine there may be no bridge: the first that boots makes both.
    await tryRun('ip', routing)
    const found = await rules()
    for (const jump of jumps) if (!has(found, jump[0])) await nat('-I', ...jump)
  }

  async function remove(): Promise<void> {
    const found = await rules()
    for (const jump of jumps) if (has(found, jump[0])) await nat('-D', ...jump)
    if (found.includes(`-N ${chain}`)) for (const how of ['-F', '-X']) await nat(how, chain)
    await tryRun('ip', ['route', 'del', range, 'dev', bridge])
  }

  return {
    prefix,
    publish(addresses) {
      last = last.catch(() => {}).then(() => change(addresses))
      return last
    },
    async route() {
      if (current !== '') await run('ip', routing)
    },
    residue: async () => (await rules()).map((line) => `iptables rule nat ${line}`),
  }
}
