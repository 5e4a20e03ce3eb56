import { describe, expect, test } from 'vitest'
import { describeError, plain } from '../../../src/cli/output.ts'
import { type PricedPlan, planText } from '../../../src/cli/plan-text.ts'
import { plainProgress } from '../../../src/cli/progress.ts'
import { notesOn, sumOf } from '../../../src/model/cost.ts'

describe('errors in words', () => {
  test('every place with its hint, the last lines of a command, what to do', () => {
    const text = describeError({
      code: 'invalid-blueprint',
      message: 'blueprint.yaml: 2 problems',
      problems: [
        { path: 'components.web', message: 'unknown field', file: 'b.yaml', line: 3, column: 5, nearest: 'replicas' },
        { path: 'runtime', message: 'must be one of them', allowed: ['nodejs', 'python'] },
      ],
      machine: 'web-1',
      resource: 'package:x',
      output: 'E: one\nE: two\n',
      fix: 'Correct it.',
    })
    expect(text.split('\n')).toEqual([
      'blueprint.yaml: 2 problems',
      '  b.yaml:3:5: components.web: unknown field (did you mean replicas?)',
      '  runtime: must be one of them (allowed: nodejs, python)',
      '  machine: web-1',
      '  resource: package:x',
      '  | E: one',
      '  | E: two',
      '  Correct it.',
    ])
  })

  test('one problem that the message tells is not told twice', () => {
    const message = 'there is no deployment shpo'
    const problems = [{ path: 'deployment', message, nearest: 'shop' }]
    expect(describeError({ code: 'not-found', message, problems })).toBe(`${message} (did you mean shop?)`)
  })

  test('what a machine says cannot steer the terminal', () => {
    expect(plain('a\u001b[31mb\u0007c\u009bd\r\n')).toBe('abcd\n')
    expect(describeError({ code: 'resource-failed', message: 'x', output: '\u001b]0;evil\u0007ok' })).not.toContain(
      '\u001b',
    )
  })
})

describe('plans in words', () => {
  const free = { now: sumOf([]), after: sumOf([]), difference: 0 }
  const plan: PricedPlan = {
    version: 1,
    deployment: 'shop',
    release: 2,
    units: [],
    changes: [
      { action: 'keep', component: 'web', machine: 'web-1', reasons: [], stateful: false },
      {
        action: 'replace',
        component: 'db',
        machine: 'db-1',
        replacement: 'db-2',
        reasons: [{ message: 'memory of db changed', before: '1', after: '2' }],
        stateful: true,
      },
    ],
    refusals: [
      { code: 'data-loss-refused', component: 'db', machine: 'db-1', message: 'db-1 holds data', fix: 'Say so.' },
    ],
    digest: 'abc',
    costs: { ...notesOn([]), components: [], total: free },
    imported: [],
  }

  test('what shares a machine, with that', () => {
    const changes: PricedPlan['changes'] = [
      { action: 'create', component: 'dns', machine: 'dns-1', on: 'web-1', reasons: [], stateful: false },
    ]
    expect(planText({ ...plan, changes }).split('\n')[2]).toBe('  +   dns-1 (dns on web-1): create')
  })

  test('what setting an imported machine up would change on it', () => {
    const changes: PricedPlan['changes'] = [
      { action: 'update', component: 'web', machine: 'web-1', reasons: [], stateful: false },
    ]
    const shown = (seen: Partial<PricedPlan['imported'][number]>) =>
      planText({ ...plan, changes, imported: [{ machine: 'web-1', changes: [], ...seen }] })
        .split('\n')
        .slice(3, -4)
        .filter((line) => line.startsWith('     '))
    const missing = [{ resource: 'package:nodejs', changes: ['install'] }]
    expect(shown({ changes: missing })).toEqual([
      '        would change on it, as it is now:',
      '          package:nodejs: install',
    ])
    expect(shown({})).toEqual(['        nothing would change on it'])
    expect(shown({ unknown: 'web-1 does not answer' })).toEqual([
      '        what else would change on it shows with the deploy: web-1 does not answer',
    ])
  })

  test('changes with their reasons, what is refused, a summary, the digest', () => {
    expect(planText(plan).split('\n')).toEqual([
      'Plan for shop, release 2:',
      '',
      '  -/+ db-1 (db) -> db-2: replace   !! its data is lost',
      '        memory of db changed: 1 -> 2',
      '',
      '  refused: db-1 holds data',
      '           Say so.',
      '',
      'Plan: 0 to create, 0 to update, 1 to replace, 0 to remove, 1 unchanged.',
      'Digest: abc',
    ])
  })

  test('nothing to do', () => {
    const [keep] = plan.changes
    expect(planText({ ...plan, changes: keep ? [keep] : [], refusals: [] }).split('\n')).toEqual([
      'Plan for shop, release 2:',
      '',
      'Nothing to do.',
      'Digest: abc',
    ])
  })
})

test('progress in lines', () => {
  let text = ''
  const progress = plainProgress((more) => {
    text += more
  })
  progress.event('plan', { units: 1 })
  progress.event('unit', { machine: 'web-1', kind: 'install', status: 'done', seconds: 1.25 })
  progress.event('unit', { machine: 'web-1', kind: 'ready', status: 'failed', seconds: 2, error: { message: 'no' } })
  progress.event('resource', { machine: 'web-1', status: 'changed', resource: 'package:x', changes: ['installed 1'] })
  progress.event('log', { level: 'warn', message: 'hm' })
  progress.event('operation', { status: 'running' })
  progress.end()
  expect(text.split('\n')).toEqual([
    'plan: 1 unit',
    'web-1                install    done 1.3 s',
    'web-1                ready      failed 2.0 s: no',
    'web-1                  changed package:x (installed 1)',
    'warn: hm',
    '',
  ])
})
