import type { Command } from 'commander'
import { define, losesData, namesDeployment, setsParameters, waits } from '../define.ts'

const load = () => import('../commands/blueprints.ts')

export function addBlueprintCommands(program: Command): void {
  program.commandsGroup('Blueprints:')
  define(program, {
    usage: 'schema',
    summary: 'print the JSON Schema of blueprints',
    examples: ['schema > blueprint.schema.json'],
    load: async () => (await load()).schema,
  })
  setsParameters(
    define(program, {
      usage: 'validate <file>',
      summary: 'check a blueprint: every problem at once, with its place',
      examples: ['validate blueprint.yaml', 'validate blueprint.yaml --set replicas=3'],
      load: async () => (await load()).validate,
    }),
  )
  const plan = define(program, {
    usage: 'plan <file>',
    summary: 'show what a deploy would change; changes nothing',
    examples: ['plan blueprint.yaml --cloud home', 'plan blueprint.yaml --exit-code'],
    load: async () => (await load()).plan,
  })
  setsParameters(namesDeployment(plan)).option('--exit-code', 'exit with 2 when there are changes')
  const deploy = define(program, {
    usage: 'deploy <file>',
    summary: 'make the world as the blueprint says',
    examples: [
      'deploy blueprint.yaml --cloud home',
      'deploy blueprint.yaml --name shop-test --cloud home --set replicas=1',
      'deploy blueprint.yaml --plan 572f73379c3a...   # only what kitbag plan showed',
    ],
    load: async () => (await load()).deploy,
  })
  losesData(waits(setsParameters(namesDeployment(deploy))))
    .option('--plan <digest>', 'apply only the plan with this digest, or refuse because the world moved')
    .option('--canary <component=percent>', 'only to some of its machines, with this share of its traffic')
    .option('--keep-failed', 'keep what a failed first deploy made')
    .option('--on-conflict <wait|refuse>', 'while another operation runs: wait for it (default), or refuse')
}
