import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

const source = recipe(`parameters:
  text: { type: string }
resources:
  - file: /etc/large
    content: "{{lines parameters.text}}"
    mode: "0640"
    notify: { reload: haproxy }
  - service: haproxy
    state: running
`)
const large = (line: string) => `${line}\n`.repeat(20_000)
const apply = (line: string) => program(source, { context: { parameters: { text: large(line) } } })

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const it = (name: string, run: () => void) =>
    test(shell.missing ? `${name} (${shell.missing})` : name, { skip: shell.missing !== undefined }, () => {
      root = new ThrowawayRoot(shell)
      run()
    })
  /** What the transport does before it runs a program. */
  const upload = ({ artifacts }: ReturnType<typeof apply>) => {
    for (const { path, bytes } of artifacts) root.write(path, bytes ?? '', 0o600)
  }

  it('a large text is not in the program, but beside it, and is gone afterwards', () => {
    const first = apply('one line of many')
    expect(first.text.length).toBeLessThan(20_000)
    expect(first.artifacts).toMatchObject([{ unless: '/etc/large', bytes: Buffer.from(large('one line of many')) }])
    upload(first)
    expect(outline(root.run(first))[0]).toBe('changed file:/etc/large')
    expect(root.read('/etc/large')).toBe(large('one line of many'))
    expect(root.tree().filter((line) => line.startsWith('/var/cache/kitbag/blobs/'))).toEqual([])
  })

  it('where the file holds it already, nothing has to be brought', () => {
    root.write('/etc/large', large('one line of many'), 0o640)
    expect(outline(root.run(apply('one line of many')))[0]).toBe('ok file:/etc/large')
  })

  it('a check has it, to show what differs', () => {
    root.write('/etc/large', 'old\n', 0o640)
    const check = program(source, { context: { parameters: { text: large('another line') } }, mode: 'check' })
    expect(check.artifacts).toEqual([])
    const [event] = root.run(check).events
    expect(event).toMatchObject({ status: 'changed', changes: ['content'] })
    expect(event?.diff).toContain('+another line')
  })

  it('without it the file stays as it is, and the reason is told', () => {
    root.write('/etc/large', 'old', 0o640)
    expect(root.run(apply('one line of many')).events[0]).toMatchObject({
      status: 'failed',
      output: expect.stringContaining('No such file'),
    })
    expect(root.read('/etc/large')).toBe('old')
  })
})
