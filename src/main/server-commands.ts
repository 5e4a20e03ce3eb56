import type { Command } from 'commander'
import { reportFailure } from './report-failure.ts'

/** Adds the commands that run a control plane or look after this box. Their code is loaded when one is used, so that `--help` is quick. */
export function addServerCommands(program: Command): void {
  program
    .command('up')
    .description(
      'run the whole control plane here: API, worker, and embedded PostgreSQL and Temporal unless configured',
    )
    .option('--listen <host:port>', 'where the API listens (KITBAG_LISTEN, default 127.0.0.1:7070)')
    .action(async (options: { listen?: string }) => {
      await run('up', options.listen, async () => (await import('./up.ts')).up)
    })
  program
    .command('api')
    .description('run the API alone, one of many on a database (DATABASE_URL)')
    .option('--listen <host:port>', 'where it listens (KITBAG_LISTEN, default 127.0.0.1:7070)')
    .action(async (options: { listen?: string }) => {
      await run('api', options.listen, async () => (await import('./api.ts')).runApi)
    })
  program
    .command('worker')
    .description(
      'run a worker alone, one of many on a database (DATABASE_URL) and a Temporal cluster (TEMPORAL_ADDRESS)',
    )
    .action(async () => {
      await run('worker', undefined, async () => (await import('./worker.ts')).runWorkerAlone)
    })
  program
    .command('setup')
    .description('get what takes long at the first start: the Temporal server, packages and images for local machines')
    .option('--image <word...>', 'images to make ready', ['debian-12', 'debian-13'])
    .action(async ({ image }: { image: string[] }) => {
      await once(async () => (await import('./setup-command.ts')).setupCommand(image))
    })
  program
    .command('doctor')
    .description('check what this box has and lacks')
    .option('--fix', 'get what is missing')
    .option('--json', 'print JSON')
    .action(async (options: { fix?: boolean; json?: boolean }) => {
      await once(async () => (await import('./doctor-command.ts')).doctorCommand(options))
    })
}

type Start = typeof import('./up.ts').up

async function run(name: string, listen: string | undefined, load: () => Promise<Start>): Promise<void> {
  await once(async () => {
    const { readConfig } = await import('./config.ts')
    const config = readConfig(listen ? { ...process.env, KITBAG_LISTEN: listen } : process.env)
    const { runUntilStopped } = await import('./run-until-stopped.ts')
    await runUntilStopped(async (options) => (await load())(config, options), name)
  })
}

async function once(command: () => Promise<void>): Promise<void> {
  try {
    await command()
  } catch (error) {
    process.exitCode = reportFailure(error)
  }
}
