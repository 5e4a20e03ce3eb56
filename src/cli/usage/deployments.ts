import type { Command } from 'commander'
import { define, losesData, several, waits } from '../define.ts'

const deployments = () => import('../commands/deployments.ts')
const releases = () => import('../commands/releases.ts')

export function addDeploymentCommands(program: Command): void {
  program.commandsGroup('Deployments:')
  define(program, {
    usage: 'list',
    summary: 'list deployments',
    examples: ['list', 'list --json'],
    load: async () => (await deployments()).list,
  })
  define(program, {
    usage: 'show <name>',
    summary: 'show a deployment, its machines and its address',
    examples: ['show shop'],
    load: async () => (await deployments()).show,
  })
  waits(
    define(program, {
      usage: 'check <name>',
      summary: 'find what differs from what was applied; changes nothing',
      examples: ['check shop'],
      load: async () => (await deployments()).check,
    }),
  )
  losesData(
    waits(
      define(program, {
        usage: 'scale <name> <component=count...>',
        summary: 'change the number of machines; holds until the blueprint says another',
        examples: ['scale shop web=3', 'scale shop web=3 worker=2'],
        load: async () => (await deployments()).scale,
      }),
    ),
  )
  losesData(
    waits(
      define(program, {
        usage: 'heal <name> <machine...>',
        summary: 'replace machines that are dead, without asking them anything',
        examples: ['heal shop web-2'],
        load: async () => (await deployments()).heal,
      }),
    ),
  )
  define(program, {
    usage: 'logs <name>',
    summary: "show the application's log lines",
    examples: [
      'logs shop -f',
      'logs shop --component web --lines 20',
      "logs shop --all --level err --since 1h --text 'out of memory'",
    ],
    load: async () => (await import('../commands/logs.ts')).logs,
  })
    .option('-f, --follow', 'go on as they come')
    .option('--component <component>', 'of one component alone')
    .option('--machine <machine>', 'of one machine alone')
    .option('--lines <count>', 'how many of each machine to begin with (default: 100)')
    .option('--all', "the machines' whole journals")
    .option('--level <level>', 'of this level or graver: emerg, alert, crit, err, warning, notice, info, debug')
    .option('--since <time>', 'from a time such as 2026-11-21T12:00:00Z, or for the last 15m')
    .option('--until <time>', 'to a time, or to 5m ago')
    .option('--text <text>', 'lines that hold it')
  define(program, {
    usage: 'releases <name>',
    summary: 'list releases',
    examples: ['releases shop'],
    load: async () => (await releases()).releases,
  })
  losesData(
    waits(
      define(program, {
        usage: 'rollback <name> [release]',
        summary: 'go back to a release (default: the one before)',
        examples: ['rollback shop', 'rollback shop 3'],
        load: async () => (await releases()).rollback,
      }),
    ),
  )
  waits(
    define(program, {
      usage: 'promote <name>',
      summary: 'bring the release that is on trial into force everywhere',
      examples: ['promote shop'],
      load: async () => (await releases()).promote,
    }),
  )
  waits(
    define(program, {
      usage: 'abort <name>',
      summary: 'end the trial of a release: everything is as in the release in force',
      examples: ['abort shop'],
      load: async () => (await releases()).abort,
    }),
  )
  losesData(
    waits(
      define(program, {
        usage: 'destroy <name>',
        summary: 'remove a deployment with all its machines',
        examples: ['destroy shop', 'destroy shop --yes --allow-data-loss db'],
        load: async () => (await import('../commands/destroy.ts')).destroy,
      }),
    ),
  )
    .option('--yes', 'do not ask; what holds data needs --allow-data-loss too')
    .option(
      '--delete-imported <machine>',
      'delete this imported machine too, which is let go otherwise; may be repeated',
      several,
    )
  losesData(
    waits(
      define(program, {
        usage: 'forget <name>',
        summary: 'stop managing a deployment, or some of its machines; they run on',
        examples: ['forget shop', 'forget shop --machine web-2'],
        load: async () => (await import('../commands/forget.ts')).forget,
      }),
    ),
  )
    .option('--yes', 'do not ask')
    .option('--machine <machine>', 'this machine alone; may be repeated', several)
}
