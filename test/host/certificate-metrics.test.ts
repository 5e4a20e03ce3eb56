import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { ownKeyPair } from '../../src/lib/own-key-pair.ts'
import { compile } from '../../src/recipes/compile.ts'
import { issueLeaf, makeAuthority } from '../../src/toolkit/certificates/x509.ts'
import { context, recipe } from '../pure/recipes/fixture.ts'
import { shells, ThrowawayRoot } from './recipes/throwaway-root.ts'

const day = 86_400_000
const now = new Date('2026-11-20T12:00:00Z')
const made = makeAuthority('Test', 3650 * day, now)
const authority = { ...made, name: 'Test', until: new Date(now.getTime() + 3650 * day) }
const leaf = (days: number) => issueLeaf(authority, { hosts: ['db-1'], lifetime: days * day, now }).certificate
/** With the certificate that signed it. */
const chain = (days: number) => `${leaf(days).trimEnd()}\n${leaf(3)}`
const ends = (days: number) => Math.floor(now.getTime() / 1000) + days * 86_400

const script = readFileSync('recipes/node-exporter/certificate-metrics.sh')
const own = recipe(
  `parameters: { server: { type: string }, seed: { type: string } }
resources:
  - { directory: [/etc/queue] }
  - { file: /etc/queue/server.crt, content: "{{lines parameters.server}}" }
  - { file: /etc/queue/env, content: "export A={{sh parameters.server}} B={{sh parameters.other}}", mode: "0600" }
  - { file: '/etc/queue/it is "quoted".json', content: "{{json parameters.server}}" }
  - { file: /etc/queue/never.crt, content: "{{lines parameters.seed}}" }
  - { file: /etc/queue/plain, content: none }`.replace(
    'seed: { type: string }',
    'seed: { type: string }, other: { type: string }',
  ),
)

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())

  test('every file with a certificate is watched, wherever a recipe puts it', {
    skip: shell.missing !== undefined,
  }, () => {
    root = new ThrowawayRoot(shell)
    root.mkdir('/var/lib/prometheus/node-exporter')
    // Debian's is a link to what is not in this root.
    root.fake('awk', 'exec "$(command -v mawk || command -v gawk)" "$@"')
    const put = (server: string, other: string) => {
      const parameters = { server, other, seed: ownKeyPair('x'.repeat(32), 'test').certificate }
      const program = compile(own, 'configure', context({ parameters }), { mode: 'apply', secrets: [] })
      const { end } = root.run(program)
      return end?.changed
    }
    const figures = () => {
      expect(root.runText(script)).toMatchObject({ status: 0, stderr: '' })
      return root
        .read('/var/lib/prometheus/node-exporter/kitbag-certificates.prom')
        .split('\n')
        .filter((line) => line.startsWith('certificate_end'))
    }
    expect(figures()).toEqual([])
    put(chain(90), chain(30))
    root.write('/etc/haproxy/kitbag/certificates/web.pem', `${chain(60)}-----BEGIN PRIVATE KEY-----\nx\n`)
    root.write('/etc/kitbag/authority.pem', made.certificate)
    expect(figures()).toEqual([
      `certificate_end_time_seconds{certificate="web"} ${ends(60)}`,
      `certificate_end_time_seconds{certificate="/etc/kitbag/authority.pem"} ${ends(3650)}`,
      `certificate_end_time_seconds{certificate="/etc/queue/env"} ${ends(30)}`,
      `certificate_end_time_seconds{certificate="/etc/queue/it is \\"quoted\\".json"} ${ends(90)}`,
      `certificate_end_time_seconds{certificate="/etc/queue/server.crt"} ${ends(90)}`,
    ])
    // A certificate that was renewed is another list, which is what the figures are made anew for; the same is nothing to do.
    const list = root.read('/var/lib/kitbag/certificates/web')
    expect(put(chain(90), chain(30))).toBeGreaterThan(0)
    expect(root.read('/var/lib/kitbag/certificates/web')).not.toBe(list)
    const same = chain(90)
    put(same, same)
    expect(put(same, same)).toBe(0)
    expect(list).not.toContain('plain')
    // What is left over of a component that has none any more, nobody renews: it is nobody's concern.
    const bare = recipe('resources:\n  - { file: /etc/queue/plain, content: none }')
    root.run(compile(bare, 'configure', context({ parameters: {} }), { mode: 'apply', secrets: [] }))
    expect(figures()).toEqual([
      `certificate_end_time_seconds{certificate="web"} ${ends(60)}`,
      `certificate_end_time_seconds{certificate="/etc/kitbag/authority.pem"} ${ends(3650)}`,
    ])
  })
})
