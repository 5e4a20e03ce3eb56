import { type BlueprintFolder, blueprintFolder } from '../../support/blueprint-folder.ts'
import type { Guest } from '../../support/guest.ts'
import { until } from '../../support/until.ts'

const gateCommand = `
  - command: |
      echo waiting at the gate
      : >/var/lib/gate.reached
      until test -e /var/lib/gate.open; do sleep 0.1; done
    name: gate
    phase: install
    unless: test -e /var/lib/gate.open
`

/**
 * One machine whose recipe stops at a command, \`gate\`, in the middle of its install phase until the test lets it go on; \`after\`
 * are the resources that follow, as YAML.
 */
export function gatedBlueprint(after: string, more = ''): BlueprintFolder {
  return blueprintFolder({
    'blueprint.yaml': `apiVersion: kitbag/v1\nname: gated\ncomponents:\n  box:\n    recipe: ./recipes/gated\n    machine: { memory: 256MiB }\n${more}`,
    'recipes/gated/recipe.yaml': `name: gated\ndescription: Stops in the middle.\nresources:\n  - file: /etc/before\n    phase: install\n    content: before\n${gateCommand}${after}`,
  })
}

export async function atGate(guest: Guest): Promise<void> {
  await until(async () => (await guest.run('ls /var/lib/gate.reached 2>/dev/null || true')) !== '')
}

export async function openGate(guest: Guest): Promise<void> {
  await guest.run(': >/var/lib/gate.open')
}
