import type { MachinesBehind } from '../support/machines-behind.ts'
import type { Answer } from './client-tokens.ts'
import type { Ask } from './elastic-ips.ts'

/** Calls after which another machine, or none, may have a public address. */
const moving = new Set(['RunInstances', 'TerminateInstances', 'AssociateAddress', 'DisassociateAddress'])

/** Public addresses that reach the machines behind, in the place of those that moto makes up. None is given twice. */
export function publicIps({ prefix, publish }: MachinesBehind['outside']) {
  /** moto's -> ours. */
  const given = new Map<string, string>()
  let last: Promise<void> = Promise.resolve()

  function ours(address: string): string {
    const own = given.get(address) ?? `${prefix}${given.size + 1}`
    given.set(address, own)
    return own
  }
  const translated = (text: string) =>
    text.replace(/<(publicIp|ipAddress)>([\d.]+)</g, (_, name, address) => `<${name}>${ours(address)}<`)

  async function follow(ask: Ask): Promise<void> {
    const { text } = await ask('DescribeInstances', {
      'Filter.1.Name': 'instance-state-name',
      'Filter.1.Value.1': 'running',
    })
    const found = translated(text)
      .split('<instanceId>')
      .flatMap((one): [string, string][] => {
        const [, from] = /<ipAddress>([\d.]+)</.exec(one) ?? []
        const [, to] = /<privateIpAddress>([\d.]+)</.exec(one) ?? []
        return from && to ? [[from, to]] : []
      })
    await publish(new Map(found))
  }

  return {
    /** An answer of moto with these addresses. */
    translated: (answer: Answer): Answer => ({ ...answer, text: translated(answer.text) }),
    /** After a call had its effect. */
    async after(call: string, ask: Ask): Promise<void> {
      if (!moving.has(call)) return
      const turn = last.catch(() => {}).then(() => follow(ask))
      last = turn
      await turn
    },
  }
}
