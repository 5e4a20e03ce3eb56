import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import type { Guest } from '../../support/guest.ts'
import { until } from '../../support/until.ts'

/**
 * One machine whose recipe stops at a command, `gate`, in the middle of the phase until the test lets it go on; `after` are the
 * resources that follow, as YAML.
 */
export function gatedBlueprint(after: string, phase: 'install' | 'configure' = 'install'): BlueprintFolder {
  return blueprintFolder({
    'blueprint.yaml': `
apiVersion: kitbag/v1
name: gated
components:
  box:
    recipe: ./recipes/gated
    machine: { memory: 256MiB }
`,
    'recipes/gated/recipe.yaml': `
name: gated
description: Stops in the middle.
resources:
  - file: /etc/before
    phase: ${phase}
    content: before
  - command: |
      echo waiting at the gate
      : >/var/lib/gate.reached
      until test -e /var/lib/gate.open; do sleep 0.1; done
    name: gate
    phase: ${phase}
    unless: test -e /var/lib/gate.open
${after}`,
  })
}

/** Resources for after the gate; `complete` shows that they are all there. */
export const after = `
  - package: tree
  - file: /etc/after
    phase: install
    content: after
`
export const complete = 'cat /etc/before /etc/after; test -x /usr/bin/tree && echo tree'

export async function atGate(guest: Guest): Promise<void> {
  await until(async () => (await guest.run('ls /var/lib/gate.reached 2>/dev/null || true')) !== '')
}

export async function openGate(guest: Guest): Promise<void> {
  await guest.run(': >/var/lib/gate.open')
}
