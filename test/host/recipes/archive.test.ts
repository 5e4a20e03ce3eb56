import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

const source = recipe(`resources:
  - archive: /opt/web/releases/\${source.short}
    artifact: \${source.digest}
    keep: 2
  - link: /opt/web/current
    target: releases/\${source.short}
    phase: install
    when: release.number != 9
`)

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const it = (name: string, run: () => void) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, () => {
      root = new ThrowawayRoot(shell)
      root.mkdir('/opt/web/releases')
      run()
    })
  const digest = (letter: string) => letter.repeat(64)
  const release = (letter: string, number = 1) =>
    program(source, { phase: 'install', context: { source: { digest: digest(letter) }, release: { number } } })
  const upload = (letter: string) =>
    root.runText(`cd /tmp && echo ${letter} >file && tar -cf /var/cache/kitbag/blobs/${digest(letter)} file`)

  it('the newest ones are kept, and always the one that a link points to', () => {
    for (const letter of ['a', 'b', 'c', 'd']) {
      upload(letter)
      root.runText('for d in /opt/web/releases/*; do touch -d "@$(($(stat -c %Y "$d") - 3600))" "$d"; done')
      // c and d are unpacked only: the link stays on b.
      const run = root.run(release(letter, letter > 'b' ? 9 : 1))
      expect(outline(run)[0]).toBe(`changed archive:/opt/web/releases/${letter.repeat(16)}`)
    }
    const kept = root.tree().filter((line) => line.startsWith('/opt/web/releases/') && line.includes('/file '))
    expect(kept.map((line) => line.split('/')[4])).toEqual(['b', 'c', 'd'].map((letter) => letter.repeat(16)))
    expect(root.exists(`/var/cache/kitbag/blobs/${digest('a')}`)).toBe(false)
    expect(root.exists(`/var/cache/kitbag/blobs/${digest('b')}`)).toBe(true)
  })

  it('the program names the blob that it needs, and a check needs none', () => {
    expect(release('a').artifacts).toEqual([{ digest: digest('a'), path: `/var/cache/kitbag/blobs/${digest('a')}` }])
    const check = { phase: 'install', mode: 'check', context: { source: { digest: digest('a') } } } as const
    expect(program(source, check).artifacts).toEqual([])
    expect(root.run(program(source, check)).end?.changed).toBe(2)
  })

  it('a broken archive leaves nothing but the error', () => {
    root.write(`/var/cache/kitbag/blobs/${digest('a')}`, 'no archive')
    const run = root.run(release('a'))
    expect(run.events[0]).toMatchObject({ status: 'failed', output: expect.stringContaining('tar') })
    expect(root.tree().filter((line) => line.startsWith('/opt/web/releases/'))).toEqual([])
    root.runText(`rm /var/cache/kitbag/blobs/${digest('a')}`)
    expect(root.run(release('a')).events[0]?.output).toContain('the uploaded archive is missing')
  })
})
