import { type Answer, streamDecode, streamEncode } from 'dns-packet'
import { KitbagError } from '../../model/errors.ts'
import { insideAddress, type MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { dsOf } from './dnssec.ts'
import type { DomainName } from './name.ts'

/** Milliseconds without any answer after which a node counts as silent. */
const timeout = 3000

/** Questions asked side by side on one connection. */
const window = 200

/** What a node says of a zone. */
export interface ZoneState {
  node: string
  /** null: the node does not serve the zone. */
  serial: number | null
  /** DS records for the parent zone, of the keys that the node signs with. */
  ds: string[]
  /** Why it could not be asked. */
  error?: string
}

/** What a node says of zones, asked over one connection of its own. */
export async function zoneStates(reach: Reach, node: MachineAccess, zones: DomainName[]): Promise<ZoneState[]> {
  try {
    const questions = zones.flatMap((name) => [
      { name, type: 'SOA' as const },
      { name, type: 'DNSKEY' as const },
    ])
    const answers = await ask(reach, node, questions)
    return zones.map((zone, i) => {
      const records = [...(answers[2 * i] ?? []), ...(answers[2 * i + 1] ?? [])]
      const [soa = null] = records.flatMap((record) => (record.type === 'SOA' ? [record.data.serial] : []))
      const ds = records.flatMap((record) => {
        if (record.type !== 'DNSKEY') return []
        const { flags, algorithm, key } = record.data
        return [dsOf(zone, Buffer.concat([Buffer.from([flags >> 8, flags & 255, 3, algorithm]), key]))]
      })
      return { node: node.name, serial: soa === null ? null : soa >>> 0, ds }
    })
  } catch (error) {
    const { message } = error as Error
    return zones.map(() => ({ node: node.name, serial: null, ds: [], error: message }))
  }
}

interface Question {
  name: DomainName
  type: 'SOA' | 'DNSKEY'
}

/** Answers in the questions' order. Throws `service-failed`. */
async function ask(reach: Reach, node: MachineAccess, questions: Question[]): Promise<Answer[][]> {
  const failed = (reason: string) =>
    new KitbagError('service-failed', `${node.name}: DNS: ${reason}`, { machine: node.name, retryable: true })
  const answers: Answer[][] = []
  if (questions.length === 0) return answers
  const connection = await reach.connectTcp(node, insideAddress(node), 53)
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      let next = 0
      let answered = 0
      let pending = Buffer.alloc(0)
      const send = () => {
        const question = questions[next]
        if (question) connection.write(streamEncode({ type: 'query', id: next++, questions: [question] }))
      }
      const waitForMore = () => {
        clearTimeout(timer)
        timer = setTimeout(() => reject(failed(`no answer within ${timeout} ms`)), timeout)
      }
      connection.on('data', (chunk: Buffer) => {
        pending = Buffer.concat([pending, chunk])
        try {
          for (; pending.length >= 2 && pending.length >= pending.readUInt16BE(0) + 2; answered++) {
            const length = pending.readUInt16BE(0) + 2
            const message = streamDecode(pending.subarray(0, length))
            answers[message.id ?? 0] = message.answers ?? []
            pending = pending.subarray(length)
            send()
          }
        } catch (error) {
          reject(failed((error as Error).message))
        }
        if (answered === questions.length) resolve()
        else waitForMore()
      })
      connection.on('error', (error) => reject(failed(error.message)))
      connection.on('end', () => reject(failed('the connection was closed')))
      waitForMore()
      for (let i = 0; i < window; i++) send()
    })
  } finally {
    clearTimeout(timer)
    connection.destroy()
  }
  return answers
}
