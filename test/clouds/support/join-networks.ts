import { run } from '../../../src/providers/local/run.ts'

/**
 * Lets two networks of this box meet under their own addresses, as clouds with a private line between them do: else whoever leaves one goes
 * out under the box's address. What it gives ends that.
 */
export async function joinNetworks(one: string, two: string): Promise<() => Promise<void>> {
  const change = async (how: '-I' | '-D') => {
    const chain = ['--wait', '-t', 'nat', how, 'POSTROUTING']
    await run('iptables', [...chain, '-s', one, '-d', two, '-j', 'ACCEPT'])
    await run('iptables', [...chain, '-s', two, '-d', one, '-j', 'ACCEPT'])
  }
  await change('-I')
  return () => change('-D')
}
