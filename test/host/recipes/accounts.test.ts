import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const it = (name: string, run: () => void) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, run)

  it('users and groups are made, and changed only where the recipe says something', () => {
    root = new ThrowawayRoot(shell)
    root.write('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nold:x:500:500::/home/old:/bin/sh\n')
    root.write('/etc/group', 'root:x:0:\nold:x:500:\ntaken:x:501:\nextra:x:502:\n')
    const source = recipe(`resources:
  - user: one
    home: /var/lib/one
    groups: [extra]
  - user: taken
  - user: old
  - group: two
  - user: three
    group: two
    shell: /bin/sh
`)
    const run = () => root.run(program(source, { phase: 'install' }))
    expect(outline(run())).toEqual(
      ['ok user:old', 'changed user:one', 'changed user:taken', 'changed group:two', 'changed user:three'].sort(
        (a, b) => order(a) - order(b),
      ),
    )
    const lines = root.read('/etc/passwd').split('\n')
    expect(lines).toContain('old:x:500:500::/home/old:/bin/sh')
    expect(lines.find((line) => line.startsWith('one:'))).toMatch(/:\/var\/lib\/one:\/usr\/sbin\/nologin$/)
    expect(lines.find((line) => line.startsWith('taken:'))).toMatch(/^taken:[x!]:\d+:501::\/nonexistent:/)
    expect(lines.find((line) => line.startsWith('three:'))).toMatch(/:\/bin\/sh$/)
    expect(root.read('/etc/group')).toMatch(/^extra:x:502:one$/m)
    expect(run().end?.changed).toBe(0)
    root.write('/etc/passwd', root.read('/etc/passwd').replace('/var/lib/one', '/elsewhere'))
    root.write('/etc/group', root.read('/etc/group').replace('extra:x:502:one', 'extra:x:502:'))
    const check = root.run(program(source, { phase: 'install', mode: 'check' }))
    expect(check.events.find(({ resource }) => resource === 'user:one')?.changes).toEqual([
      'home /elsewhere -> /var/lib/one',
      'group extra',
    ])
    expect(run().end?.changed).toBe(1)
    expect(run().end?.changed).toBe(0)
  })
})

const names = ['user:one', 'user:taken', 'user:old', 'group:two', 'user:three']
const order = (line: string) => names.indexOf(line.split(' ')[1] ?? '')
