import type { Instance } from '@aws-sdk/client-ec2'
import { batched } from '../../lib/batched.ts'
import { sleep } from '../../lib/clock.ts'
import type { Ec2 } from './client.ts'
import { describeInstances } from './instances.ts'
import { readTag, tagFilters, tagNames } from './tags.ts'

/** Milliseconds between two reads of one instance that somebody waits for: the first at once, the others later and later. */
const spacings = [0, 500, 1_000, 1_500, 2_000]

/** Milliseconds between any two reads while EC2 turns calls away. */
const throttledSpacing = 4_000

/** Milliseconds in which those who ask are answered by the same read. */
const gathering = 10

/** As many values as one filter takes. */
const mostIds = 200

/** Milliseconds after which an instance that was made here and is not listed is believed to be gone. EC2 is seldom seconds behind. */
const believed = 300_000

/** Milliseconds after which nobody waits for an instance any more. */
const forgotten = 10_000

/** Reads instances one by one for its callers, and many at a time from EC2. */
export interface InstanceReader {
  /** undefined: there is none (any more). */
  get(id: string): Promise<Instance | undefined>
  /** One that lives and has this machine's tag; EC2's lists may not have it yet. */
  ofMachine(machine: string): Promise<Instance | undefined>
  /** What RunInstances answered: EC2's lists may not have it yet. */
  made(instance: Instance): void
  /** Made here not long ago, and perhaps not listed yet. */
  recent(): Instance[]
  /** It is about to change: what was read of it says nothing any more. */
  ending(id: string): void
}

interface Asker {
  resolve(found: Instance | undefined): void
  reject(error: unknown): void
}

export function instanceReader(ec2: Ec2, installation: string): InstanceReader {
  let waiting = new Map<string, Asker[]>()
  let reading = false
  let last = 0
  const reads = new Map<string, { count: number; at: number }>()
  const made = new Map<string, { instance: Instance; at: number }>()

  const recent = () => {
    for (const [id, { at }] of made) if (Date.now() - at > believed) made.delete(id)
    return [...made.values()].map(({ instance }) => instance)
  }
  /** When the first of those who wait is to be answered. */
  const due = () => {
    for (const [id, { at }] of reads) if (Date.now() - at > forgotten) reads.delete(id)
    const each = [...waiting.keys()].map((id) => {
      const { count, at } = reads.get(id) ?? { count: 0, at: 0 }
      return at + (spacings[Math.min(count, spacings.length - 1)] ?? 0)
    })
    return Math.max(Math.min(...each), ec2.isThrottled() ? last + throttledSpacing : 0)
  }
  const read = async (batch: Map<string, Asker[]>) => {
    const found = new Map<string, Instance>()
    const ids = [...batch.keys()]
    for (let from = 0; from < ids.length; from += mostIds) {
      const filter = { Name: 'instance-id', Values: ids.slice(from, from + mostIds) }
      for (const one of await describeInstances(ec2, [filter])) found.set(one.InstanceId ?? '', one)
    }
    recent()
    for (const [id, askers] of batch) {
      const one = found.get(id)
      if (one) made.delete(id)
      reads.set(id, { count: (reads.get(id)?.count ?? 0) + 1, at: Date.now() })
      for (const { resolve } of askers) resolve(one ?? made.get(id)?.instance)
    }
  }
  const readAll = async () => {
    while (waiting.size > 0) {
      await sleep(gathering)
      // Somebody new may be due before those who wait already.
      if (due() > Date.now()) continue
      const batch = waiting
      waiting = new Map()
      try {
        await read(batch)
      } catch (error) {
        for (const askers of batch.values()) for (const { reject } of askers) reject(error)
      }
      last = Date.now()
    }
    reading = false
  }

  const byMachine = batched(async (machines) => {
    const found = new Map<string, Instance>()
    for (let from = 0; from < machines.length; from += mostIds) {
      const values = { Name: `tag:${tagNames.machine}`, Values: machines.slice(from, from + mostIds) }
      const states = { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }
      const listed = await describeInstances(ec2, [...tagFilters({ installation }), values, states])
      for (const one of listed) found.set(readTag(one.Tags, 'machine'), one)
    }
    return found
  })

  return {
    ofMachine: byMachine,
    get: (id) =>
      new Promise((resolve, reject) => {
        waiting.set(id, [...(waiting.get(id) ?? []), { resolve, reject }])
        if (reading) return
        reading = true
        void readAll()
      }),
    made: (instance) => {
      if (instance.InstanceId) made.set(instance.InstanceId, { instance, at: Date.now() })
    },
    recent,
    ending: (id) => {
      made.delete(id)
      reads.delete(id)
    },
  }
}
