import { Command } from 'commander'
import { guarded } from './output.ts'

type Options = Record<string, never> & { json?: boolean }
type Load = () => Promise<(...words: never[]) => Promise<number | undefined | void>>

const several = (value: string, before: string[] = []) => [...before, value]

/** Commands whose words the control plane's OpenAPI document describes. */
const toolkitCommands = [
  ['lb', 'a load balancer'],
  ['dns', 'DNS'],
] as const

/** The command line over the API. What a command needs is loaded when it is used, so that `--help` is quick. */
export function createProgram(): Command {
  const program = new Command('kitbag')
    .description('Carries your application toolkit to any cloud.')
    .showHelpAfterError()
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 3))

  const add = (usage: string, description: string, load: Load, parent = program): Command => {
    const command = parent.command(usage).description(description).option('--json', 'print JSON')
    return command.action(async (...words: unknown[]) => {
      const options = command.opts<Options>()
      const given = words.slice(0, -2)
      await guarded(options.json === true, async () => (await load())(...([...given, options] as never[])))
    })
  }
  const deployments = () => import('./commands/deployments.ts')
  const others = () => import('./commands/others.ts')
  const waits = (command: Command) =>
    command.option('--wait', 'watch until it ends (default)').option('--no-wait', 'only submit')
  const loses = (command: Command) =>
    command.option('--allow-data-loss <component>', 'a component whose data may be lost', several)
  const describes = (command: Command) =>
    command
      .option('--name <name>', "name of the deployment (default: the blueprint's)")
      .option('--cloud <cloud>', 'cloud for components that name none')
      .option('--set <name=value>', 'value of a parameter', several)

  describes(
    add(
      'validate <file>',
      'check a blueprint: every problem at once',
      async () => (await deployments()).validate as never,
    ),
  )
  describes(
    add('plan <file>', 'show what a deploy would change', async () => (await deployments()).plan as never),
  ).option('--exit-code', 'exit with 2 when there are changes')
  loses(
    waits(
      describes(
        add('deploy <file>', 'make the world as the blueprint says', async () => (await deployments()).deploy as never),
      ),
    ),
  )
    .option('--plan <digest>', 'apply only the plan with this digest')
    .option('--keep-failed', 'keep what a failed first deploy made')
    .option('--on-conflict <wait|refuse>', 'while another operation runs: wait for it, or refuse')
  loses(
    waits(
      add(
        'rollback <name> [release]',
        'go back to a release (default: the one before)',
        async () => (await deployments()).rollback as never,
      ),
    ),
  )
  add('releases <name>', 'list releases', async () => (await deployments()).releases as never)
  add('list', 'list deployments', async () => (await deployments()).list as never)
  add('show <name>', 'show a deployment, its machines and its address', async () => (await deployments()).show as never)
  waits(
    add(
      'check <name>',
      'find what differs from what was applied; changes nothing',
      async () => (await deployments()).check as never,
    ),
  )
  waits(
    add(
      'scale <name> <component=count...>',
      'change the number of machines',
      async () => (await deployments()).scale as never,
    ),
  )
  add('logs <name>', "show the application's log lines", async () => (await deployments()).logs as never)
    .option('-f, --follow', 'go on as they come')
    .option('--component <component>')
    .option('--machine <machine>')
    .option('--lines <count>', 'how many to begin with')
    .option('--all', "the machines' whole journals")
  loses(
    waits(
      add(
        'destroy <name>',
        'remove a deployment with all its machines',
        async () => (await deployments()).destroy as never,
      ),
    ),
  ).option('--yes', 'do not ask')

  const cloud = program.command('cloud').description('connect clouds')
  add('add <name>', 'connect a cloud', async () => (await others()).cloudAdd as never, cloud)
    .requiredOption('--provider <kind>', 'kind of provider: local, ...')
    .option('--set <name=value>', 'a setting of the provider', several)
    .option('--credentials <file>', 'credentials as JSON')
  add('list', 'list clouds', async () => (await others()).cloudList as never, cloud)
  add('test <name>', 'check what a deployment would need', async () => (await others()).cloudTest as never, cloud)
  add('remove <name>', 'forget a cloud', async () => (await others()).cloudRemove as never, cloud)
  const secret = program.command('secret').description("set a deployment's secrets")
  add(
    'set <deployment> <name>',
    'set a secret from standard input',
    async () => (await others()).secretSet as never,
    secret,
  ).option('--file <file>', 'read it from a file')
  add('list <deployment>', 'list names and versions', async () => (await others()).secretList as never, secret)
  add('remove <deployment> <name>', 'remove a secret', async () => (await others()).secretRemove as never, secret)
  for (const [command, what] of toolkitCommands) {
    waits(
      add(`${command} [words...]`, `look at and change ${what} while it runs`, async () => {
        const { toolkitCommand } = await import('./commands/toolkit.ts')
        return ((words: string[], options: object) => toolkitCommand(command, words, options)) as never
      }),
    )
      .option('--service <name>', 'which one, where there are several')
      .option('--set <name=value>', 'a field to change, such as weight=50; more than once: a list', several)
  }
  add('operations [deployment]', 'list operations', async () => (await others()).operations as never)
  waits(
    add(
      'cancel <operation>',
      'cancel an operation; what it did is undone',
      async () => (await others()).cancel as never,
    ),
  )
  add('sweep', 'find machines that no deployment knows', async () => (await others()).sweep as never).option(
    '--remove',
    'remove what is found',
  )
  add('schema', 'print the JSON Schema of blueprints', async () => (await others()).schema as never)
  return program
}
