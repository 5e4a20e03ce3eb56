import { Duplex } from 'node:stream'
import { decode, encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { dnsSchema, zonesOf } from '../../../../src/toolkit/dns/schema.ts'
import { dns } from '../../../../src/toolkit/dns/service.ts'

const spec = dnsSchema.parse({ zone: 'a.example', zones: [{ zone: 'b.example' }] })

/** A name server on a connection: zones with their serials. */
function server(serials: Record<string, number>): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const { id = 0, questions = [] } = decode(chunk.subarray(2))
      const [{ name = '', type = '' } = {}] = questions
      const serial = serials[name]
      const data = {
        mname: `ns1.${name}`,
        rname: `hostmaster.${name}`,
        serial,
        refresh: 1,
        retry: 1,
        expire: 1,
        minimum: 1,
      }
      const answers = type === 'SOA' && serial !== undefined ? [{ type: 'SOA' as const, name, data }] : []
      const message = encode({ type: 'response', id, questions, answers } as never)
      this.push(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]))
      done()
    },
  })
}

/** What health says when nodes answer these serials; null: one that does not answer. */
async function health(nodes: (Record<string, number> | null)[]): Promise<string[]> {
  const machines = nodes.map((_, i) => ({ name: `dns-${i + 1}`, address: `10.0.0.${i + 1}` }))
  const connectTcp = async ({ name }: { name: string }) => {
    const serials = nodes[Number(name.slice(4)) - 1]
    if (!serials) throw new Error('away')
    return server(serials)
  }
  const parameters = async () => ({ zones: zonesOf(spec), overrides: {} })
  const found = await dns.health?.({ machines, reach: { connectTcp }, parameters, spec, service: 'dns' } as never)
  return (found ?? []).map(({ subject, status, message }) => `${subject} ${status}: ${message}`)
}

test('each zone says whether every node has it, and the same', async () => {
  expect(
    await health([
      { 'a.example': 7, 'b.example': 3 },
      { 'a.example': 7, 'b.example': 4 },
    ]),
  ).toEqual(['a.example healthy: serial 7 on 2 nodes', 'b.example degraded: behind on dns-1: an older serial than 4'])
  expect(await health([{ 'a.example': 7 }, null])).toEqual([
    'a.example degraded: not answered by dns-2; the others have it',
    'b.example down: no node answers it',
  ])
})
