import { expect, test } from 'vitest'
import type { MachineRecord } from '../../../src/model/machine.ts'
import { machinesToCreate, plan } from '../../../src/planner/plan.ts'
import type { PlanInput } from '../../../src/planner/plan-input.ts'
import { previewFacts } from '../../../src/planner/preview.ts'
import { appRelease, testRecipes } from '../../support/app.ts'

const spec = { size: 's', image: 'i', requirements: { cpu: 1, memory: 2 ** 29, image: 'debian-13' } }

const imported: MachineRecord = {
  ...{ id: 'mac_1', deploymentId: 'dep_1', component: 'web', name: 'web-1', ordinal: 1, cloudId: 'cld_1' },
  ...{ providerId: 'i-1', status: 'imported', imported: true, user: 'admin', sshPort: 22, hostKey: '', spec },
  addresses: [{ address: '10.0.0.9', family: 4, scope: 'private', network: 'theirs' }],
  ...{ stateful: false, installDigest: null, configureDigest: null, drifted: false, releaseNumber: null },
}

const input: PlanInput & { release: NonNullable<PlanInput['release']> } = {
  ...{ deployment: 'shop', kind: 'deploy', machines: [imported], overrides: {}, migrated: {} },
  release: { number: 1, spec: appRelease({ balancer: false }) },
  ...{ clouds: { home: 'cld_1' }, cloudId: 'cld_1', toolkit: {}, allowDataLoss: [] },
}

test('a look ahead of a first deploy knows all but secrets and addresses, for which something stands', () => {
  const specs = new Map(machinesToCreate(input).map(({ component, ordinal }) => [`${component.name}-${ordinal}`, spec]))
  const source = { input, plan: plan(input, specs), recipes: testRecipes(), installation: 'ins_1' }
  const { facts, machine, component } = previewFacts({ ...source, machine: imported })
  expect([machine.status, component?.name]).toEqual(['created', 'web'])
  const { context } = facts.context(machine)
  expect(context.env.DATABASE).toBe('postgres://web:[secret]@192.0.2.1')
  expect(context.machine).toMatchObject({ name: 'web-1', address: '10.0.0.9', user: 'admin' })
  // Others are told of it.
  const db = { ...imported, id: 'db-1', name: 'db-1', component: 'db' }
  const told = facts.context(db).context.consumers.flatMap((consumer) => consumer.machines.map(({ name }) => name))
  expect(told.sort()).toEqual(['web-1', 'web-2'])
})
