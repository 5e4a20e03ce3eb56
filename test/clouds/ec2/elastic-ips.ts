import { type Answer, answerError } from './client-tokens.ts'

/** Makes a call of its own. */
export type Ask = (call: string, parameters?: Record<string, string>) => Promise<Answer>

interface ElasticIp {
  allocation: string
  association: string
  instance: string
}

/** What moto lacks of EC2's rules for Elastic IPs: a quota, none is released that is in use, one machine has one, and none that has ended. */
export function elasticIps() {
  async function all(ask: Ask): Promise<ElasticIp[]> {
    const { text } = await ask('DescribeAddresses')
    const read = (item: string, name: string) => new RegExp(`<${name}>([^<]*)<`).exec(item)?.[1] ?? ''
    return text
      .split('<item>')
      .map((item) => ({
        allocation: read(item, 'allocationId'),
        association: read(item, 'associationId'),
        instance: read(item, 'instanceId'),
      }))
      .filter(({ allocation }) => allocation !== '')
  }
  async function letGo(ask: Ask, matches: (one: ElasticIp) => boolean): Promise<void> {
    for (const one of (await all(ask)).filter(({ association }) => association !== '').filter(matches))
      await ask('DisassociateAddress', { AssociationId: one.association })
  }
  return {
    /** How many an account may have in a region. */
    limit: Number.POSITIVE_INFINITY,
    /** Before a call has its effect: what EC2 answers instead of it. */
    async before(call: string, parameters: URLSearchParams, ask: Ask): Promise<Answer | undefined> {
      if (call === 'AllocateAddress' && (await all(ask)).length >= this.limit)
        return answerError('AddressLimitExceeded', 'The maximum number of addresses has been reached.')
      const allocation = parameters.get('AllocationId')
      if (call === 'ReleaseAddress') {
        const used = (await all(ask)).find((one) => one.allocation === allocation && one.association !== '')
        return used && answerError('InvalidIPAddress.InUse', `Address ${allocation} is in use.`)
      }
      if (call !== 'AssociateAddress' || parameters.get('AllowReassociation') !== 'true') return undefined
      const instance = parameters.get('InstanceId')
      await letGo(ask, (one) => one.allocation === allocation || one.instance === instance)
      return undefined
    },
    ended: (instances: string[], ask: Ask) => letGo(ask, ({ instance }) => instances.includes(instance)),
  }
}
