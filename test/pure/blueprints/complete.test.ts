import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { completeServices } from '../../../src/blueprints/complete.ts'
import type { ResolvedService } from '../../../src/model/blueprint.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { parse } from './fixture.ts'

const example = (name: string) =>
  readFileSync(new URL(`../../../examples/${name}/blueprint.yaml`, import.meta.url), 'utf8')

/** The services of examples/guestbook as the first Kitbag stored them: its load balancer knew neither routes nor https. */
const stored: ResolvedService[] = [
  {
    name: 'loadBalancer',
    kind: 'loadBalancer',
    spec: {
      listeners: [
        {
          port: 80,
          protocol: 'http',
          to: 'web',
          algorithm: 'roundrobin',
          sticky: false,
          health: { interval: 500, timeout: 2000, rise: 1, fall: 2 },
          timeouts: { connect: 2000, client: 60_000, server: 60_000, queue: 10_000 },
        },
      ],
      machine: { cpu: 1, memory: 512 * 2 ** 20, image: 'debian-13' },
      replicas: 1,
    },
  },
]

describe('releases that an older Kitbag stored', () => {
  test('get what their services have learned since, and are then those of the same blueprint today', () => {
    expect(completeServices(stored, toolkit)).toEqual(parse(example('guestbook')).services)
  })

  test('can be planned', () => {
    const { components } = parse(example('guestbook'))
    for (const { name, kind, spec } of completeServices(stored, toolkit)) {
      const plan = toolkit[kind]?.plan({ name, spec: spec as never, components })
      expect(plan?.members).toEqual(['web'])
    }
  })

  test('keep what their user chose', () => {
    const [service] = structuredClone(stored)
    Object.assign(service?.spec ?? {}, { replicas: 2 })
    expect(completeServices([service as ResolvedService], toolkit)[0]?.spec).toMatchObject({ replicas: 2 })
  })

  test('keep services of a kind that is no more', () => {
    const gone = { name: 'queue', kind: 'queue', spec: { size: 1 } }
    expect(completeServices([gone], toolkit)).toEqual([gone])
  })
})

test.each(['certificates', 'dns', 'edge', 'guestbook', 'monitoring', 'shop'])(
  'a release of today is left as it is: examples/%s',
  (name) => {
    const { services } = parse(example(name))
    expect(completeServices(services, toolkit)).toEqual(services)
  },
)
