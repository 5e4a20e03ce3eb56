import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/model/json.ts'
import { autoscaler } from '../../../src/toolkit/autoscaler/service.ts'
import { certificates } from '../../../src/toolkit/certificates/service.ts'
import type { ToolkitService } from '../../../src/toolkit/contract.ts'
import { healing } from '../../../src/toolkit/healing/service.ts'

const concerns = (service: unknown, state: JsonObject, spec: unknown = {}) =>
  (service as ToolkitService).watch?.concerns?.(state, spec).map(({ name, level, labels, message }) => ({
    name,
    level,
    message,
    ...labels,
  }))

describe('what people are told of, from what a look left', () => {
  test('healing: each thing that it leaves to a person', () => {
    const alerts = {
      'machine db-1': 'db-1 is dead and holds data',
      'component web': '3 of 4',
      deployment: '5 of 6',
      cloud: 'no answer',
      attempt: 'the replacement failed',
    }
    expect(concerns(healing, { alerts })).toEqual([
      { name: 'machine-with-data-dead', level: 'alert', machine: 'db-1', message: alerts['machine db-1'] },
      { name: 'healing-stopped', level: 'alert', component: 'web', message: '3 of 4' },
      { name: 'healing-stopped', level: 'alert', message: '5 of 6' },
      { name: 'healing-stopped', level: 'alert', message: 'no answer' },
      { name: 'healing-failed', level: 'alert', message: 'the replacement failed' },
    ])
    expect(concerns(healing, {})).toEqual([])
  })

  test('the autoscaler: what its last decision was, where a person has to look', () => {
    const state = { reason: 'capped', message: '2 machines, 5 are wanted', alert: true }
    expect(concerns(autoscaler, state, { component: 'web' })).toEqual([
      { name: 'autoscaler-capped', level: 'alert', component: 'web', message: '2 machines, 5 are wanted' },
    ])
    expect(concerns(autoscaler, { ...state, alert: false }, { component: 'web' })).toEqual([])
    expect(concerns(autoscaler, {}, { component: 'web' })).toEqual([])
  })

  test('certificates: each that is not as it should be', () => {
    const state = { levels: { web: 'warn', api: 'info', old: 'alert' }, messages: { web: 'no answer', old: 'expired' } }
    expect(concerns(certificates, state)).toEqual([
      { name: 'certificate-trouble', level: 'warn', certificate: 'web', message: 'no answer' },
      { name: 'certificate-trouble', level: 'alert', certificate: 'old', message: 'expired' },
    ])
    expect(concerns(certificates, {})).toEqual([])
  })
})
