import { streamDecode, streamEncode } from 'dns-packet'
import { KitbagError } from '../../model/errors.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { dsOf } from './dnssec.ts'
import type { DomainName } from './name.ts'

const timeoutMs = 3000

export interface ZoneState {
  /** null: the node does not serve the zone. */
  serial: number | null
  /** DS records for the parent zone, of the keys that the node signs with. */
  ds: string[]
}

/** What a node says of a zone, asked over its own connection. Throws `service-failed` when it does not answer. */
export async function zoneState(reach: Reach, node: MachineAccess, zone: DomainName): Promise<ZoneState> {
  const [soa, keys] = await Promise.all([ask(reach, node, zone, 'SOA'), ask(reach, node, zone, 'DNSKEY')])
  const serial = soa.flatMap((answer) => (answer.type === 'SOA' ? [answer.data.serial] : []))[0] ?? null
  const ds = keys.flatMap((answer) => {
    if (answer.type !== 'DNSKEY') return []
    const { flags, algorithm, key } = answer.data
    return [dsOf(zone, Buffer.concat([Buffer.from([flags >> 8, flags & 255, 3, algorithm]), key]))]
  })
  return { serial: serial === null ? null : serial >>> 0, ds }
}

async function ask(reach: Reach, node: MachineAccess, name: DomainName, type: 'SOA' | 'DNSKEY') {
  const failed = (reason: string) =>
    new KitbagError('service-failed', `${node.name}: DNS: ${reason}`, { machine: node.name, retryable: true })
  const connection = await reach.connectTcp(node, node.address, 53)
  try {
    return await new Promise<NonNullable<ReturnType<typeof streamDecode>['answers']>>((resolve, reject) => {
      const timer = setTimeout(() => reject(failed(`no answer within ${timeoutMs} ms`)), timeoutMs)
      const chunks: Buffer[] = []
      connection.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        const all = Buffer.concat(chunks)
        if (all.length < 2 || all.length < all.readUInt16BE(0) + 2) return
        clearTimeout(timer)
        try {
          resolve(streamDecode(all).answers ?? [])
        } catch (error) {
          reject(failed((error as Error).message))
        }
      })
      connection.on('error', (error) => reject(failed(error.message)))
      connection.on('end', () => reject(failed('the connection was closed')))
      connection.write(streamEncode({ type: 'query', id: 1, questions: [{ name, type }] }))
    })
  } finally {
    connection.destroy()
  }
}
