import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

const install =
  'apt-get -q -y -o DPkg::Lock::Timeout=900 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install --no-install-recommends --allow-downgrades'
const update = 'apt-get -q -o Acquire::Retries=3 -o Acquire::Languages=none update'
const repair = 'dpkg --force-confdef --force-confold --configure -a'

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const it = (name: string, run: () => void) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, () => {
      root = new ThrowawayRoot(shell)
      root.write('/var/lib/apt/lists/a_Packages', '')
      root.mkdir('/var/lib/apt/lists/partial')
      run()
    })
  const wanted = recipe('resources: [{ package: [one, two=2.0-1] }, { package: one }, { package: three }]')
  const run = () => root.run(program(wanted, { phase: 'install' }))

  it('all missing ones are installed at once, without recommended ones', () => {
    root.write('/fake/packages', 'three 3.1\n')
    expect(outline(run())).toEqual(['ok package:three', 'changed package:one', 'changed package:two'])
    expect(root.calls()).toEqual([`${install} one two=2.0-1`])
    expect(run().end?.changed).toBe(0)
    expect(root.calls()).toEqual([])
  })

  it('another version than the one asked for is a difference', () => {
    root.write('/fake/packages', 'one 1.0\nthree 3.1\ntwo 1.9\n')
    const check = root.run(program(wanted, { phase: 'install', mode: 'check' }))
    expect(check.events.find(({ resource }) => resource === 'package:two')?.changes).toEqual(['version 1.9 -> 2.0-1'])
    expect(root.calls()).toEqual([])
    run()
    expect(root.calls()).toEqual([`${install} two=2.0-1`])
  })

  it('lists are fetched first when there are none', () => {
    root.runText('rm /var/lib/apt/lists/a_Packages')
    run()
    expect(root.calls()).toEqual([update, `${install} one two=2.0-1 three`])
  })

  it('lists are fetched once when a package is not found in them', () => {
    root.write('/fake/apt-says', 'E: Unable to locate package one\nworks\nworks\n')
    expect(run().end?.changed).toBe(3)
    expect(root.calls().map((call) => call.split(' ').at(-1))).toEqual(['three', 'update', 'three'])
    root.write('/fake/packages', '')
    root.write('/fake/apt-says', 'E: Unable to locate package one\nworks\nE: Unable to locate package one\n')
    const failed = run()
    expect(outline(failed)).toEqual(['failed package:one'])
    expect(failed.events[0]?.output).toContain('E: Unable to locate package one')
  })

  it('what a former run left half installed is configured first', () => {
    root.write('/var/lib/dpkg/updates/0001', '')
    run()
    expect(root.calls()).toEqual([repair, `${install} one two=2.0-1 three`])
    root.write('/fake/packages', '')
    root.write('/fake/apt-says', 'E: Sub-process /usr/bin/dpkg returned an error code (1)\nworks\n')
    expect(run().end?.changed).toBe(3)
    expect(root.calls()).toEqual([expect.stringContaining(install), repair, expect.stringContaining(install)])
  })

  it('waits for the lock on the lists', () => {
    root.runText('rm /var/lib/apt/lists/a_Packages')
    root.write(
      '/fake/apt-says',
      'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 5\nworks\nworks\n',
    )
    expect(run().end?.changed).toBe(3)
    expect(root.calls()).toEqual([update, update, `${install} one two=2.0-1 three`])
  })

  it('a package that apt knows and dpkg does not is named', () => {
    root.fake('apt-get', 'exit 0')
    const failed = run()
    expect(outline(failed)).toEqual(['failed package:one'])
    expect(failed.events[0]?.output).toContain('one is not installed: is it the name of a real package?')
  })
})
