import type { Command, CommanderError } from 'commander'
import { KitbagError } from '../model/errors.ts'
import { guarded, reportError } from './output.ts'

/** Exit code of what was called wrongly, as of any invalid input. */
const invalid = 3

type Action = (...words: never[]) => Promise<number | undefined | void>

export interface CommandDefinition {
  /** `rollback <name> [release]` */
  usage: string
  summary: string
  /** Lines of the help, without the leading `kitbag`. */
  examples: string[]
  /** Loads the code: only when the command is used, so that `--help` is quick. */
  load: () => Promise<Action>
}

/** Values of an option that may be repeated. */
export const several = (value: string, before: string[] = []) => [...before, value]

/** Adds a command with `--json` and examples; what it throws is told as words or as problem details. */
export function define(parent: Command, { usage, summary, examples, load }: CommandDefinition): Command {
  const command = parent.command(usage).description(summary).option('--json', 'print JSON')
  tellErrors(command)
  addExamples(command, examples)
  return command.action(async (...words: unknown[]) => {
    const options = command.opts<{ json?: boolean }>()
    const given = words.slice(0, -2)
    await guarded(options.json === true, async () => (await load())(...([...given, options] as never[])))
  })
}

/** A command that only has commands of its own below it. */
export function defineGroup(parent: Command, name: string, summary: string): Command {
  const group = parent.command(name).description(summary)
  tellErrors(group)
  return group
}

export function addExamples(command: Command, examples: string[]): void {
  const title = examples.length === 1 ? 'Example:' : 'Examples:'
  command.addHelpText('after', ['', title, ...examples.map((example) => `  kitbag ${example}`)].join('\n'))
}

/** How a command tells that it was called wrongly: one sentence (problem details with `--json`) and exit code 3. */
export function tellErrors(command: Command): void {
  command.configureOutput({ outputError: () => {} })
  command.exitOverride((error: CommanderError) => {
    if (error.exitCode === 0) process.exit(0)
    // A group without its word printed its help already.
    if (error.code === 'commander.help') process.exit(invalid)
    const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
    const fix = `See ${nameOf(command)} --help.`
    process.exit(reportError(new KitbagError('invalid-request', message, { fix }), process.argv.includes('--json')))
  })
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

/** Options of commands that change something. */
export function waits(command: Command): Command {
  return command
    .option('--wait', 'watch until it ends (default); Ctrl-C stops watching, not the operation')
    .option('--no-wait', 'only submit, and print the operation')
}

/** Options of commands that may lose data. */
export function losesData(command: Command): Command {
  return command.option('--allow-data-loss <component>', 'a component whose data may be lost; may be repeated', several)
}

/** Options of commands that read a blueprint. */
export function setsParameters(command: Command): Command {
  return command.option('--set <name=value>', 'value of a parameter; may be repeated', several)
}

export function namesDeployment(command: Command): Command {
  return command
    .option('--name <name>', "name of the deployment (default: the blueprint's)")
    .option('--cloud <cloud>', 'cloud for components that name none')
}

/** An option that may be repeated. */
export function repeatable(command: Command, flags: string, description: string): Command {
  return command.option(flags, `${description}; may be repeated`, several)
}
