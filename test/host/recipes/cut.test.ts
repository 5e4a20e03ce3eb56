import { afterEach, describe, expect, test } from 'vitest'
import { program, recipe } from '../../pure/recipes/fixture.ts'
import { shells, ThrowawayRoot } from './throwaway-root.ts'

const steps = recipe(
  `parameters: { digest: { type: string } }
resources:
  - package: haproxy
    phase: configure
  - user: labuser
    phase: configure
  - directory: /srv/releases
    mode: "0750"
    owner: labuser
  - archive: /srv/releases/one
    artifact: \${parameters.digest}
    owner: labuser
    group: labuser
    phase: configure
  - file: /srv/conf
    content: "it's {{line parameters.digest}}\\n"
    owner: labuser
    mode: "0600"
    notify: { reload: haproxy }
  - file: /srv/plain
    content: "two\\n"
    notify: { restart: web }
  - link: /srv/link
    target: plain
    notify: { restart: web }
  - systemd-unit: web.service
    content: "[Service]\\nExecStart=/bin/true\\n"
  - service: [haproxy, web]
    state: running
    enabled: true
  - command: echo done >/srv/done
    name: once
    creates: /srv/done
`,
)
const digest = 'd'.repeat(64)
const request = { context: { parameters: { digest } } }

describe.each(shells)('$name', (shell) => {
  let root: ThrowawayRoot
  afterEach(() => root?.remove())
  const options = { skip: shell.missing !== undefined, timeout: 300_000 }
  const title = (name: string) => (shell.missing ? `${name} (${shell.missing})` : name)

  /** A machine on which an older release runs, so that a cut can fall between a change and its notification. */
  const running = () => {
    root = new ThrowawayRoot(shell)
    root.runText(`mkdir /tmp/a && echo hello >/tmp/a/hello && tar --mtime=@0 -czf /var/cache/kitbag/blobs/${digest} -C /tmp/a . && rm -r /tmp/a
: >/fake/haproxy.service.active; : >/fake/web.service.active
echo old >/srv/plain; echo old >/srv/conf; ln -s old /srv/link`)
    return root
  }

  test(title('a text that is cut at any byte runs nothing'), options, () => {
    running()
    const { text } = program(steps, request)
    const bytes = Buffer.from(text)
    const before = root.tree()
    const end = bytes.length - 1
    // Every place near the end, where a cut text is nearly whole; elsewhere every line's end and a spread of others.
    const places = new Set<number>()
    for (let place = end - 40; place < end; place++) places.add(place)
    for (let place = 0; place < end; place += Math.ceil(end / 60)) places.add(place)
    const lines = [...text.matchAll(/\n/g)].map(({ index }) => Buffer.byteLength(text.slice(0, index)) + 1)
    for (const place of lines.filter((_, index) => index % 4 === 0)) if (place < end) places.add(place)
    for (const place of places) {
      const { stdout } = root.runText(bytes.subarray(0, place))
      expect({ place, stdout }).toEqual({ place, stdout: '' })
    }
    expect(root.tree()).toEqual(before)
    expect(root.calls()).toEqual([])
  })

  test(
    title('killed before or after any change, the next run completes it and every notification is fired'),
    options,
    () => {
      running()
      root.run(program(steps, request))
      const whole = root.tree()
      root.remove()
      running()
      root.killAt(0, 'before')
      root.run(program(steps, request))
      const calls = root.disarm()
      root.remove()
      expect(calls).toBeGreaterThan(20)
      for (let call = 1; call <= calls; call++) {
        for (const when of ['before', 'after'] as const) {
          running()
          root.killAt(call, when)
          const cut = root.run(program(steps, request))
          expect(cut.end).toBeUndefined()
          root.disarm()
          const next = root.run(program(steps, request))
          const place = `cut ${when} call ${call}`
          expect([place, next.end?.end, next.stderr]).toEqual([place, true, ''])
          expect([place, ...withoutPackages(root.tree())]).toEqual([place, ...withoutPackages(whole)])
          const fired = root.calls().filter((line) => line.startsWith('systemctl'))
          expect([place, fired]).toEqual([
            place,
            expect.arrayContaining(['systemctl reload-or-restart haproxy.service', 'systemctl restart web.service']),
          ])
          expect(root.run(program(steps, request)).end).toEqual({ end: true, changed: 0 })
          expect(root.calls()).toEqual([])
          root.remove()
        }
      }
    },
  )
})

/** Leftovers of useradd and of apt, which are theirs to name: backups and locks. */
function withoutPackages(tree: string[]): string[] {
  return tree.filter(
    (line) => !/^\/etc\/(\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-?(\.lock)? )/.test(line),
  )
}
