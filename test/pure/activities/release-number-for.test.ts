import { expect, test } from 'vitest'
import { releaseNumberFor } from '../../../src/activities/release-number-for.ts'
import type { UnitWork } from '../../../src/activities/unit-work.ts'
import type { Unit } from '../../../src/model/plan.ts'

const configure = (only?: 'firewall'): Partial<Unit> => ({
  id: only ? 'node-1/configure/firewall' : 'node-1/configure',
  kind: 'configure',
  machine: 'node-1',
  ...(only && { only }),
})

/** What a push brings to a machine while a deploy of release 2, which has done these units, runs beside it. */
function brought(done: Partial<Unit>[], pushed: Partial<Unit>): Promise<number> {
  const units = [configure(), configure('firewall')]
  const operations = {
    running: async () => [{ id: 'op_2', deploymentId: 'dep_1', kind: 'deploy' }],
    plan: async (_id: string, stage: string) => (stage === 'main' ? { release: 2, units } : undefined),
    units: async () =>
      units.map((unit) => ({
        ...unit,
        stage: 'main',
        status: done.some(({ id }) => id === unit.id) ? 'done' : 'pending',
      })),
  }
  return releaseNumberFor({
    deps: { store: { operations } },
    operation: { kind: 'push' },
    deployment: { id: 'dep_1', currentRelease: 1 },
    plan: { release: 1 },
    unit: pushed,
  } as unknown as UnitWork)
}

test.each([
  ['a machine that the deploy did not come to', [], configure(), 1],
  ['one that it has configured', [configure()], configure(), 2],
  ['one whose firewall alone it has changed', [configure('firewall')], configure(), 1],
  ['such a firewall', [configure('firewall')], configure('firewall'), 2],
  ['the firewall of one that it has configured', [configure()], configure('firewall'), 2],
])('a push beside a deploy takes for %s the right release', async (_what, done, pushed, release) => {
  expect(await brought(done, pushed)).toBe(release)
})
