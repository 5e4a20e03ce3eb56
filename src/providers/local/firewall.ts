import { bridgePrefix, ruleComment } from './names.ts'
import { run, tryRun } from './run.ts'

interface Rule {
  table: 'nat' | 'filter'
  chain: string
  match: string[]
  target: string
}

/** Out into the world under the box's address, to machines of other installations here under their own; answers back in; and each other, where bridged frames pass the filter too. */
function wantedRules(bridge: string, subnet: string): Rule[] {
  const answers = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED']
  return [
    { table: 'nat', chain: 'POSTROUTING', match: ['-s', subnet, '!', '-o', bridge], target: 'MASQUERADE' },
    // Put above the one before.
    { table: 'nat', chain: 'POSTROUTING', match: ['-s', subnet, '-o', `${bridgePrefix}+`], target: 'RETURN' },
    { table: 'filter', chain: 'FORWARD', match: ['-i', bridge], target: 'ACCEPT' },
    { table: 'filter', chain: 'FORWARD', match: ['-o', bridge, ...answers], target: 'ACCEPT' },
  ]
}

/** Makes the installation's rules, each marked with its name, if they are not all there. */
export async function ensureRules(network: { bridge: string; subnet: string }, installation: string): Promise<void> {
  const wanted = wantedRules(network.bridge, network.subnet)
  if ((await listRules(installation)).length === wanted.length) return
  await removeRules(installation)
  const comment = ['-m', 'comment', '--comment', ruleComment(installation)]
  for (const { table, chain, match, target } of wanted) {
    // At the top: a box that drops forwarded packets by default would never come to a rule at the end.
    await run('iptables', ['--wait', '-t', table, '-I', chain, '1', ...match, ...comment, '-j', target])
  }
}

export async function removeRules(installation: string): Promise<void> {
  for (const { table, words } of await listRules(installation)) {
    await run('iptables', ['--wait', '-t', table, '-D', ...words])
  }
}

/** The installation's rules: words after `-A`. */
export async function listRules(installation: string): Promise<{ table: string; words: string[] }[]> {
  const chains = [
    ['nat', 'POSTROUTING'],
    ['filter', 'FORWARD'],
  ] as const
  const listed = await Promise.all(
    chains.map(async ([table, chain]) => {
      const { stdout } = await tryRun('iptables', ['--wait', '-t', table, '-S', chain])
      return stdout.split('\n').map((line) => ({ table, words: splitRule(line) }))
    }),
  )
  return listed
    .flat()
    .filter(({ words }) => words[0] === '-A' && words.includes(ruleComment(installation)))
    .map(({ table, words }) => ({ table, words: words.slice(1) }))
}

/** iptables quotes a comment that has other characters than letters and digits. */
function splitRule(line: string): string[] {
  return [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
