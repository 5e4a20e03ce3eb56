import { expect, test } from 'vitest'
import { nearest } from '../../../src/lib/nearest.ts'

test.each([
  ['dbx', ['web', 'db'], 'db'],
  ['postgress', ['postgresql', 'nodejs'], 'postgresql'],
  ['LoadBalancer', ['loadBalancer', 'dns'], 'loadBalancer'],
  ['replcias', ['replicas', 'recipe'], 'replicas'],
  ['elephant', ['web', 'db'], undefined],
  ['x', ['y'], undefined],
  ['anything', [], undefined],
  ['a'.repeat(100_000), ['a'], undefined],
])('nearest to %.20s of %j is %s', (name, known, wanted) => {
  expect(nearest(name, known)).toBe(wanted)
})
