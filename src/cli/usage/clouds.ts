import type { Command } from 'commander'
import { define, defineGroup, repeatable, waits } from '../define.ts'

const load = () => import('../commands/clouds.ts')

function withSettings(command: Command): void {
  repeatable(command, '--set <name=value>', 'a setting of the provider')
    .option('--settings <file>', 'settings as YAML or JSON')
    .option('--credentials <file>', 'credentials as YAML or JSON')
}

export function addCloudCommands(program: Command): void {
  program.commandsGroup('Clouds:')
  const cloud = defineGroup(program, 'cloud', 'connect sources of machines')
  const add = define(cloud, {
    usage: 'add <name>',
    summary: 'connect a cloud',
    examples: ['cloud add home --provider local', 'cloud add metal --provider ssh --settings machines.yaml'],
    load: async () => (await load()).addCloud,
  })
  withSettings(add.requiredOption('--provider <kind>', 'kind of provider: local, ssh, ...'))
  withSettings(
    define(cloud, {
      usage: 'set <name>',
      summary: 'give a cloud other settings',
      examples: ['cloud set metal --settings machines.yaml'],
      load: async () => (await load()).setCloud,
    }),
  )
  define(cloud, {
    usage: 'list',
    summary: 'list clouds',
    examples: ['cloud list'],
    load: async () => (await load()).listClouds,
  })
  define(cloud, {
    usage: 'test <name>',
    summary: 'check what a deployment would need; exit code 1 when something is missing',
    examples: ['cloud test home'],
    load: async () => (await load()).testCloud,
  })
  waits(
    define(cloud, {
      usage: 'import <cloud>',
      summary: 'take in a machine that runs already, as the next one of a component',
      examples: [
        'cloud import prod --deployment shop --component web --id i-0abc1234def567890 --plan',
        'cloud import prod --deployment shop --component web --tag role=web --fingerprint SHA256:Kk3y...',
      ],
      load: async () => (await import('../commands/import.ts')).importMachine,
    }),
  )
    .requiredOption('--deployment <name>', 'deployment that it goes to')
    .requiredOption('--component <component>', 'component that it is to be of')
    .option('--id <id>', "the cloud's own id of the machine, or its name there")
    .option('--tag <name=value>', 'the one machine that has this tag, in the place of --id')
    .option('--user <user>', 'login user (default: the usual one of such machines)')
    .option('--port <port>', "SSH's port (default: 22)")
    .option('--fingerprint <fingerprint>', 'of its host key: SHA256:...')
    .option('--plan', 'only look, and say what was found; exit code 3 when something speaks against it')
  define(cloud, {
    usage: 'remove <name>',
    summary: 'forget a cloud that no deployment uses',
    examples: ['cloud remove home'],
    load: async () => (await load()).removeCloud,
  })
  define(program, {
    usage: 'sweep',
    summary: 'find machines of this installation that no deployment knows',
    examples: ['sweep', 'sweep --remove'],
    load: async () => (await import('../commands/sweep.ts')).sweep,
  }).option('--remove', 'remove what is found')
}
