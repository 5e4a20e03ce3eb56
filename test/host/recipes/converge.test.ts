import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { outline, shells, ThrowawayRoot } from './throwaway-root.ts'

const everything = recipe(
  `parameters: { title: { type: string, default: "a 'b' $(touch /srv/x)" } }
resources:
  - package: [haproxy, nginx-light]
    phase: configure
  - user: labuser
    phase: configure
    groups: [adm]
  - group: adm2
    phase: configure
  - directory: [/srv/a, /srv/b]
    mode: "0750"
    owner: labuser
  - directory: /srv/c
  - file: /srv/a/plain
    content: |
      title={{sh parameters.title}}
    mode: "0640"
    notify: { reload: haproxy }
  - file: /srv/a/owned
    template: owned.hbs
    owner: labuser
    group: labuser
    mode: "0600"
    notify: [{ restart: nginx }, { reload: haproxy }]
  - file: /srv/a/binary
    source: blob.bin
  - link: /srv/a/link
    target: plain
  - link: /srv/c/newest
    targetPattern: /srv/?
  - systemd-unit: web.service
    content: |
      [Service]
      ExecStart=/bin/true
    notify: { restart: web }
  - service: [haproxy, web]
    state: running
    enabled: true
  - service: nginx
    enabled: false
  - command: echo done >/srv/a/done
    name: once
    creates: /srv/a/done
  - file: /srv/a/gone
    state: absent
`,
  { 'owned.hbs': '{{#each peers}}{{conf name}}\n{{/each}}', 'blob.bin': Buffer.from([0, 255, 10, 39, 0]) },
)
const peers = { peers: [{ name: 'web-1', address: '10.0.0.2' }] }

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const fresh = () => {
    root = new ThrowawayRoot(shell)
    root.write('/etc/group', 'root:x:0:\nadm:x:4:\n')
    root.write('/srv/a-file', '')
    return root
  }
  const options = { skip: shell.missing !== undefined }
  const title = (name: string) => (shell.missing ? `${name} (${shell.missing})` : name)

  test(title('a program converges, and finds nothing to do the second time'), options, () => {
    fresh()
    const first = root.run(program(everything, { context: peers }))
    expect(first.stderr).toBe('')
    expect(outline(first)).toEqual([
      'changed package:haproxy',
      'changed package:nginx-light',
      'changed user:labuser',
      'changed group:adm2',
      'changed directory:/srv/a',
      'changed directory:/srv/b',
      'changed directory:/srv/c',
      'changed file:/srv/a/plain',
      'changed file:/srv/a/owned',
      'changed file:/srv/a/binary',
      'changed link:/srv/a/link',
      'changed link:/srv/c/newest',
      'changed systemd-unit:web.service',
      'changed service:haproxy',
      'changed service:web',
      'ok service:nginx',
      'changed command:once',
      'ok file:/srv/a/gone',
      'changed restart:nginx.service',
    ])
    expect(first.end).toEqual({ end: true, changed: 17 })
    expect(root.read('/srv/a/plain')).toBe(`title='a '\\''b'\\'' $(touch /srv/x)'\n`)
    expect(root.exists('/srv/x')).toBe(false)
    expect(root.read('/etc/group')).toMatch(/^adm:x:4:labuser$/m)
    expect(root.calls().filter((call) => call.startsWith('systemctl'))).toEqual([
      'systemctl daemon-reload',
      'systemctl enable --no-reload --now haproxy.service',
      'systemctl enable --no-reload --now web.service',
      'systemctl daemon-reload',
      'systemctl restart nginx.service',
    ])
    const tree = root.tree()
    const second = root.run(program(everything, { context: peers }))
    expect(second.end).toEqual({ end: true, changed: 0 })
    expect(new Set(second.events.map(({ status }) => status))).toEqual(new Set(['ok']))
    expect(root.calls()).toEqual([])
    expect(root.tree()).toEqual(tree)
  })

  test(title('check mode reports and changes nothing, before and after'), options, () => {
    fresh()
    const before = root.tree()
    const check = root.run(program(everything, { context: peers, mode: 'check' }))
    expect(root.tree()).toEqual(before)
    expect(root.calls()).toEqual([])
    expect(check.stderr).toBe('')
    const plain = check.events.find(({ resource }) => resource === 'file:/srv/a/plain')
    expect(plain).toMatchObject({ status: 'changed', changes: ['created'] })
    expect(plain?.diff).toContain(`+title='a '\\''b'\\'' $(touch /srv/x)'`)
    expect(outline(check)).toContain('changed restart:nginx.service')
    // haproxy and web would be started, and a start reads the new files.
    expect(outline(check)).not.toContain('changed reload:haproxy.service')
    root.run(program(everything, { context: peers }))
    root.calls()
    const after = root.tree()
    expect(root.run(program(everything, { context: peers, mode: 'check' })).end).toEqual({ end: true, changed: 0 })
    expect(root.tree()).toEqual(after)
  })

  test(title('what was changed by hand is found and put right, and said in words'), options, () => {
    fresh()
    root.run(program(everything, { context: peers }))
    root.runText(
      'chmod 644 /srv/a/plain; chown 0:0 /srv/b; echo x >>/srv/a/owned; ln -sfn /etc /srv/a/link; : >/srv/a/gone',
    )
    const drift = root.run(program(everything, { context: peers, mode: 'check' }))
    const words = Object.fromEntries(
      drift.events.filter(({ status }) => status === 'changed').map((e) => [e.resource, e.changes]),
    )
    expect(words).toEqual({
      'directory:/srv/b': ['owner root:root -> labuser:root'],
      'file:/srv/a/plain': ['mode 0644 -> 0640'],
      'file:/srv/a/owned': ['content'],
      'link:/srv/a/link': ['target'],
      'file:/srv/a/gone': ['removed'],
      'restart:nginx.service': ['would restart'],
      'reload:haproxy.service': ['would reload'],
    })
    expect(root.run(program(everything, { context: peers })).end?.changed).toBe(7)
    expect(root.run(program(everything, { context: peers })).end?.changed).toBe(0)
  })
})
