import { expect, test } from 'vitest'
import { createResolveSpecs } from '../../../src/activities/resolve-specs.ts'
import { memoryCloud } from '../../support/memory-cloud.ts'

const { provider, drivers } = memoryCloud()
const machine = { cpu: 1, memory: 2 ** 28, image: 'debian-13' }
const update = { maxUnavailable: 1, drain: 0 }
const component = {
  name: 'edge',
  recipe: 'haproxy',
  replicas: 2,
  placement: {},
  env: {},
  settings: {},
  machine,
  update,
}

/** Resolves one machine at a cloud with floating addresses or without. */
async function resolved(floatingAddress: boolean, requirements = machine, placement = {}) {
  const capabilities = async () => {
    const driver = await drivers.memory?.()
    if (!driver) throw new Error('no driver')
    return { ...driver.capabilities, floatingAddress }
  }
  const resolve = createResolveSpecs({ clouds: { provider: async () => provider, capabilities } })
  const wanted = [{ component: { ...component, placement, machine: requirements }, ordinal: 1, cloudId: 'cld_1' }]
  return (await resolve(wanted)).get('edge-1')
}

test('a floating address is refused by name where the cloud has none, and reaches the cloud where it has', async () => {
  const floating = { ...machine, floatingAddress: 'edge' }
  expect(await resolved(true, floating)).toMatchObject({ requirements: floating })
  expect(await resolved(false)).toMatchObject({ requirements: machine })
  await expect(resolved(false, floating)).rejects.toMatchObject({
    code: 'not-supported',
    message: 'edge: its cloud has no floating addresses, and floatingAddress asks for one',
    fix: expect.stringContaining('${edge.addresses}'),
  })
})

test('labels are refused by name where the cloud has none', async () => {
  await expect(resolved(false, machine, { labels: { disk: 'ssd' } })).rejects.toMatchObject({
    code: 'not-supported',
    message: 'edge: machines of its cloud have no labels, and placement.labels asks for some',
  })
})
