import { run, tryRun } from '../../../src/providers/local/run.ts'

/** Addresses of a test cloud that reach its machines as public ones do: the cloud translates, the machine knows only its private one. */
export interface PublicAddresses {
  /** The first three bytes of all IPv4 ones, `100.77.13.`; no two clouds on one box have the same. */
  prefix: string
  /** What all IPv6 ones begin with, `2001:db8:4d:d::`. */
  prefix6: string
  /** Public -> private address: from now on these, and no others, reach a machine. None: nothing of it stays on the box. */
  publish(addresses: ReadonlyMap<string, string>): Promise<void>
  /** Makes the box send them to the bridge, which goes with the last machine and is made again. */
  route(): Promise<void>
  /** What is left of them on this box. */
  residue(): Promise<string[]>
}

/**
 * For the network of a bridge of this box. Of IPv4 they are of 100.64.0.0/10, which is nobody's on the internet, with the bytes of the network itself;
 * of IPv6 of 2001:db8::/32, which is for documentation. The box routes them to that bridge, so one that no machine has answers nobody.
 */
export function publicAddresses(bridge: string, subnet: string): PublicAddresses {
  const [, second = 0, third = 0] = subnet.split(/[./]/).map(Number)
  const prefix = `100.${64 + (second % 64)}.${third}.`
  const prefix6 = `2001:db8:${second.toString(16)}:${third.toString(16)}::`
  const chain = `${bridge}-public`
  const translated = ['-s', subnet, '-d', subnet, '-m', 'conntrack', '--ctstate', 'DNAT']
  const families = [
    translation({ bridge, chain, ip: ['ip'], iptables: 'iptables', range: `${prefix}0/24`, host: 32 }, [
      ['PREROUTING', '-d', `${prefix}0/24`, '-j', chain],
      // A machine that comes to another one by its public address: the answer has to come back the same way.
      ['POSTROUTING', ...translated, '-m', 'comment', '--comment', chain, '-j', 'MASQUERADE'],
    ]),
    // From the box alone: it does not forward IPv6, and for the tests it shall not begin to.
    translation({ bridge, chain, ip: ['ip', '-6'], iptables: 'ip6tables', range: `${prefix6}/64`, host: 128 }, []),
  ]
  let last: Promise<void> = Promise.resolve()

  async function change(addresses: ReadonlyMap<string, string>): Promise<void> {
    const isSix = (address: string) => address.includes(':')
    for (const [index, family] of families.entries())
      await family.change(new Map([...addresses].filter(([from]) => isSix(from) === (index === 1))))
  }

  return {
    prefix,
    prefix6,
    publish(addresses) {
      last = last.catch(() => {}).then(() => change(addresses))
      return last
    },
    async route() {
      for (const family of families) await family.route()
    },
    residue: async () => (await Promise.all(families.map((family) => family.residue()))).flat(),
  }
}

interface Family {
  bridge: string
  /** Of its own: all rules but the jumps to it are there. */
  chain: string
  ip: string[]
  iptables: string
  /** All addresses that it may translate. */
  range: string
  /** Bits of one address. */
  host: number
}

/** Addresses of one family. What the box itself sends to them always goes by the chain; `more` are jumps beside that. */
function translation({ bridge, chain, ip, iptables, range, host }: Family, more: string[][]) {
  const jumps = [['OUTPUT', '-d', range, '-j', chain], ...more]
  /** What holds at present, as it is given to iptables; undefined while that is being changed, or could not be. */
  let current: string | undefined = ''

  const nat = (...words: string[]) => run(iptables, ['--wait', '-t', 'nat', ...words])
  async function rules(): Promise<string[]> {
    const { stdout } = await tryRun(iptables, ['--wait', '-t', 'nat', '-S'])
    return stdout.split('\n').filter((line) => line.includes(chain))
  }
  const has = (found: string[], from = '') => found.some((line) => line.startsWith(`-A ${from} `))
  const [program = '', ...family] = ip
  const routing = [...family, 'route', 'replace', range, 'dev', bridge]

  async function set(wanted: string): Promise<void> {
    // All at once: there is no moment at which an address that stays reaches nobody.
    const stdin = `*nat\n:${chain} - [0:0]\n${wanted}COMMIT\n`
    await run(`${iptables}-restore`, ['--noflush', '--wait'], { stdin })
    // Without a machine there may be no bridge: the first that boots makes both.
    await tryRun(program, routing)
    const found = await rules()
    for (const jump of jumps) if (!has(found, jump[0])) await nat('-I', ...jump)
  }

  async function remove(): Promise<void> {
    const found = await rules()
    for (const jump of jumps) if (has(found, jump[0])) await nat('-D', ...jump)
    if (found.includes(`-N ${chain}`)) for (const how of ['-F', '-X']) await nat(how, chain)
    await tryRun(program, [...family, 'route', 'del', range, 'dev', bridge])
  }

  return {
    async change(addresses: ReadonlyMap<string, string>): Promise<void> {
      const lines = [...addresses].map(
        ([from, to]) => `-A ${chain} -d ${from}/${host} -j DNAT --to-destination ${to}\n`,
      )
      const wanted = lines.sort().join('')
      if (wanted === current) return
      current = undefined
      if (wanted === '') await remove()
      else await set(wanted)
      current = wanted
    },
    async route(): Promise<void> {
      if (current !== '') await run(program, routing)
    },
    residue: async () => (await rules()).map((line) => `${iptables} rule nat ${line}`),
  }
}
