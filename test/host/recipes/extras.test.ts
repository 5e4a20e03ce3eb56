import { afterEach, describe, expect, test } from 'vitest'
import type { CompileOptions } from '../../../src/model/program.ts'
import { compile, leavingProgram } from '../../../src/recipes/compile.ts'
import { context, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

// The unit's reload is noted below /var/lib/kitbag, which is there then after the program has looked at all paths.
const own = recipe(`resources:
  - { systemd-unit: app.service, content: "[Service]" }
  - { service: app, state: running, enabled: true }`)
const exporter = recipe(`resources:
  - { directory: /etc/exporter }
  - { file: /etc/exporter/conf, content: "1" }
  - { systemd-unit: exporter.service, content: "[Service]" }
  - { service: exporter, state: running, enabled: true }`)
const other = recipe('resources: [{ file: /etc/other, content: "2" }]')

type Extra = [string, typeof exporter]

function program(extras: Extra[], mode: CompileOptions['mode'] = 'apply') {
  const parts = extras.map(([name, source]) => ({ name, recipe: source, context: context() }))
  return compile(own, 'configure', context(), { mode, secrets: [] }, parts)
}

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const it = (name: string, run: () => void) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, () => {
      root = new ThrowawayRoot(shell)
      run()
    })
  const both: Extra[] = [
    ['exporter', exporter],
    ['other', other],
  ]

  it('an extra that is not wanted any more is stopped, disabled and freed of its files; the others stay', () => {
    root.run(program(both))
    expect(root.exists('/fake/exporter.service.active')).toBe(true)
    expect(root.run(program(both)).end?.changed).toBe(0)
    root.calls()
    const run = root.run(program([['other', other]]))
    expect(outline(run)[0]).toBe('changed extra:exporter')
    expect(run.end?.changed).toBe(1)
    expect(root.calls()).toEqual(['systemctl disable --no-reload --now exporter.service', 'systemctl daemon-reload'])
    for (const path of [
      '/etc/exporter/conf',
      '/etc/systemd/system/exporter.service',
      '/var/lib/kitbag/extras/exporter',
    ])
      expect(root.exists(path)).toBe(false)
    expect(root.read('/etc/other')).toBe('2')
    expect(root.exists('/fake/app.service.active')).toBe(true)
    expect(root.run(program([['other', other]])).end?.changed).toBe(0)
  })

  it('a check tells of it and leaves it', () => {
    root.run(program(both))
    const before = root.tree()
    const run = root.run(program([], 'check'))
    expect(outline(run).slice(0, 2)).toEqual(['changed extra:exporter', 'changed extra:other'])
    expect(root.tree()).toEqual(before)
    expect(root.exists('/fake/exporter.service.active')).toBe(true)
  })

  it('one whose install was cut off leaves its traces, so that it is taken away', () => {
    const install = recipe('resources: [{ package: exporter }, { service: exporter, state: running }]')
    const parts = [{ name: 'exporter', recipe: install, context: context() }]
    root.run(compile(own, 'install', context(), { mode: 'apply', secrets: [] }, parts))
    root.write('/fake/exporter.service.active', '')
    expect(outline(root.run(program([])))[0]).toBe('changed extra:exporter')
    expect(root.exists('/fake/exporter.service.active')).toBe(false)
  })

  it('what shares the machine leaves it with all that it brought, and touches nothing of the others', () => {
    const guest = recipe(`parameters: { name: { type: string, default: guest } }
resources:
  - { file: "/etc/\${parameters.name}.conf", content: "3" }
  - { systemd-unit: "\${parameters.name}.service", content: "[Service]" }
  - { service: "\${parameters.name}", state: running, enabled: true }`)
    const extra = [
      { name: 'other', recipe: other, context: context({ component: 'api' }) },
      { name: 'exporter', recipe: exporter, context: context({ component: 'api' }) },
    ]
    const options: CompileOptions = { mode: 'apply', secrets: [], guest: true }
    const own = context({ component: 'api', parameters: { name: 'guest' } })
    const shared = compile(guest, 'configure', own, options, extra)
    root.run(program([['exporter', exporter]]))
    root.run(shared)
    expect(root.exists('/fake/guest.service.active')).toBe(true)
    expect(root.run(shared).end?.changed).toBe(0)
    expect(root.run(program([['exporter', exporter]])).end?.changed).toBe(0)
    const run = root.run(leavingProgram('api'))
    expect(run.end?.changed).toBe(4)
    expect(root.read('/etc/exporter/conf')).toBe('1')
    expect(root.exists('/fake/exporter.service.active')).toBe(true)
    for (const path of [
      '/etc/guest.conf',
      '/etc/systemd/system/guest.service',
      '/etc/other',
      '/fake/guest.service.active',
    ])
      expect(root.exists(path)).toBe(false)
    expect(root.exists('/fake/app.service.active')).toBe(true)
    expect(root.run(program([['exporter', exporter]])).end?.changed).toBe(0)
    expect(root.run(leavingProgram('api')).end?.changed).toBe(0)
  })

  it('a failure names the extra', () => {
    root.write('/fake/exporter.service.broken', '')
    const failing = recipe('resources: [{ file: /no/such/folder, content: "1" }]')
    expect(outline(root.run(program([['exporter', failing]]))).at(-1)).toBe('failed exporter/file:/no/such/folder')
  })
})
