import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { compile } from '../../../src/recipes/compile.ts'
import { context, recipe } from '../../pure/recipes/fixture.ts'
import { shells, ThrowawayRoot } from './throwaway-root.ts'

const all = recipe(`resources:
  - { user: app, phase: configure }
  - { directory: [/etc/app, /etc/found, /var/lib/found] }
  - { file: /etc/app/conf, content: "1" }
  - { file: /etc/there, content: "new" }
  - { service: app, state: running, enabled: true }`)

const program = (mode: 'apply' | 'check' = 'apply') =>
  compile(all, 'configure', context(), { mode, secrets: [], manifest: true })

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const it = (name: string, run: () => void) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, () => {
      root = new ThrowawayRoot(shell)
      root.write('/etc/there', 'old')
      root.mkdir('/etc/found')
      root.write('/var/lib/found/inside', '')
      root.write('/var/lib/dpkg/status', '')
      utimesSync(join(root.dir, 'var/lib/dpkg/status'), 1, 1)
      run()
    })
  const manifest = () => root.read('/var/lib/kitbag/manifest').trim().split('\n').sort()
  const expected = [
    'found /etc/found',
    'found /var/lib/found',
    'kept /etc/there',
    'made /etc/app',
    'made /etc/app/conf',
    'newgroup app',
    'newuser app',
    'own /var/lib/found/inside',
  ]

  it('lists everything once, with what was there, and keeps a copy of it', () => {
    const run = root.run(program())
    expect(run.end?.changed).toBeGreaterThan(0)
    expect(manifest().filter((line) => !line.startsWith('unit '))).toEqual(expected)
    expect(manifest().some((line) => line.startsWith('unit app.service '))).toBe(true)
    expect([root.read('/etc/there'), root.read('/var/lib/kitbag/kept/etc/there')]).toEqual(['new', 'old'])
    const before = manifest()
    expect(root.run(program()).end?.changed).toBe(0)
    expect(manifest()).toEqual(before)
    expect(root.exists('/var/lib/kitbag/packages.open')).toBe(false)
  })

  it('a check lists nothing', () => {
    root.run(program('check'))
    expect(root.exists('/var/lib/kitbag')).toBe(false)
  })
})
