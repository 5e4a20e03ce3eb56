import type { Command } from 'commander'
import { define } from '../cli/define.ts'
import { reportError } from '../cli/output.ts'
import { reportFailure } from './report-failure.ts'

type Json = { json?: boolean }
type Listen = Json & { listen?: string }

/** Adds the commands that run a control plane or look after this box. Their code is loaded when one is used, so that `--help` is quick. */
export function addServerCommands(program: Command): void {
  program.commandsGroup('Control plane:')
  define(program, {
    usage: 'up',
    summary: 'run the whole control plane here: API, worker, and embedded PostgreSQL and Temporal unless configured',
    examples: ['up', 'up --listen 0.0.0.0:7070'],
    load: async () => (options: Listen) => run('up', options, async () => (await import('./up.ts')).up),
  }).option('--listen <host:port>', 'where the API listens (KITBAG_LISTEN, default 127.0.0.1:7070)')
  define(program, {
    usage: 'api',
    summary: 'run the API alone, one of many on a database (DATABASE_URL)',
    examples: ['api --listen 0.0.0.0:7070'],
    load: async () => (options: Listen) => run('api', options, async () => (await import('./api.ts')).runApi),
  }).option('--listen <host:port>', 'where it listens (KITBAG_LISTEN, default 127.0.0.1:7070)')
  define(program, {
    usage: 'worker',
    summary: 'run a worker alone, one of many on a database (DATABASE_URL) and a Temporal cluster (TEMPORAL_ADDRESS)',
    examples: ['worker'],
    load: async () => (options: Json) =>
      run('worker', options, async () => (await import('./worker.ts')).runWorkerAlone),
  })
  program.commandsGroup('This box:')
  define(program, {
    usage: 'setup',
    summary: 'get what takes long at the first start: the Temporal server, packages and images for local machines',
    examples: ['setup', 'setup --image debian-13'],
    load: async () => (options: Json & { image: string[] }) =>
      once(options, async () => (await import('./setup-command.ts')).setupCommand(options)),
  }).option('--image <word...>', 'images to make ready', ['debian-12', 'debian-13'])
  define(program, {
    usage: 'doctor',
    summary: 'check what this box has and lacks; exit code 1 when something is missing',
    examples: ['doctor', 'doctor --fix'],
    load: async () => (options: Json & { fix?: boolean }) =>
      once(options, async () => (await import('./doctor-command.ts')).doctorCommand(options)),
  }).option('--fix', 'get what is missing')
}

type Start = typeof import('./up.ts').up

function run(name: string, { listen, json }: Listen, load: () => Promise<Start>): Promise<number> {
  return once({ ...(json && { json }) }, async () => {
    const { readConfig } = await import('./config.ts')
    const config = readConfig(listen ? { ...process.env, KITBAG_LISTEN: listen } : process.env)
    const { runUntilStopped } = await import('./run-until-stopped.ts')
    await runUntilStopped(async (options) => (await load())(config, options), { name, json: json === true })
    return 0
  })
}

/** These commands are the first that a newcomer runs: what they lack is one sentence. */
async function once({ json }: Json, command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (error) {
    return json ? reportError(error, true) : reportFailure(error)
  }
}
