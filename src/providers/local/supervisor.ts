import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, rm, truncate } from 'node:fs/promises'
import { readState, writeState } from '../../lib/state-file.ts'
import { KitbagError } from '../../model/errors.ts'
import { type Confinement, confinementVariables } from './confinement.ts'
import { bridgeName, cableName, groupName, installationMark, machineMark } from './names.ts'
import type { MachinePaths } from './paths.ts'
import { livingProcess, waitUntil } from './processes.ts'
import type { MachineRecord } from './records.ts'
import { lastLine } from './run.ts'
import { superviseScript } from './supervise-script.ts'

/** Milliseconds within which a guest's cable has to be there; it takes about 100 on an idle box. */
const startTimeout = 60_000

/** Console output kept from before the guest's last start. */
const logLimit = 256 * 1024

/**
 * Starts the machine's supervisor, unless it runs, and waits until the guest has its cable. The supervisor has a session of its own
 * and outlives us. Throws `provider-failed` with the console's last lines when the guest does not come up.
 */
export async function startSupervisor(
  paths: MachinePaths,
  record: MachineRecord,
  image: string,
  confinement: Confinement,
): Promise<void> {
  if (await livingProcess(paths.supervisor)) return
  await rm(paths.stopped, { force: true })
  await writeState(paths.script, superviseScript, 0o700)
  await shorten(paths.log)
  const log = await open(paths.log, 'a', 0o600)
  try {
    const [command = '', ...args] = supervisorCommand(paths, record.id, confinement)
    const child = spawn(command, args, {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log.fd, log.fd],
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C.UTF-8',
        ...supervisorVariables(paths, record, image, confinement),
      },
    })
    await once(child, 'spawn')
    child.unref()
  } finally {
    await log.close()
  }
  await waitForGuest(paths, record)
}

function supervisorCommand(paths: MachinePaths, id: string, confinement: Confinement): string[] {
  const command = ['unshare', '--mount', '--propagation', 'private', 'sh', paths.script]
  if (confinement.kind === 'groups') return command
  // Else it would end with the service or session that we run in.
  const unit = `--unit=${groupName(id)}-supervisor`
  return ['systemd-run', '--scope', '--quiet', '--collect', unit, ...command]
}

function supervisorVariables(
  paths: MachinePaths,
  record: MachineRecord,
  image: string,
  confinement: Confinement,
): Record<string, string> {
  const { installation } = record.tags
  const marks = [installationMark(installation), machineMark(record.id)]
  return {
    ...Object.fromEntries(marks.map((mark) => mark.split('=', 2))),
    KITBAG_NAME: record.name,
    KITBAG_FOLDER: paths.folder,
    KITBAG_IMAGE: image,
    KITBAG_BRIDGE: bridgeName(installation),
    KITBAG_CABLE: cableName(record.id),
    ...confinementVariables(confinement, record.id, record),
  }
}

async function waitForGuest(paths: MachinePaths, record: MachineRecord): Promise<void> {
  const cable = `/sys/class/net/${cableName(record.id)}`
  const up = await waitUntil(async () => {
    const [supervisor, guest] = await Promise.all([livingProcess(paths.supervisor), livingProcess(paths.guest)])
    return supervisor !== undefined && guest !== undefined && existsSync(cable)
  }, startTimeout)
  if (up) return
  const output = ((await readState(paths.log)) ?? '').trimEnd().split('\n').slice(-20).join('\n')
  throw new KitbagError('provider-failed', `local: machine ${record.name} does not boot: ${lastLine(output)}`, {
    machine: record.name,
    output,
    retryable: true,
  })
}

async function shorten(log: string): Promise<void> {
  const text = await readState(log)
  if (text !== undefined && text.length > logLimit) await truncate(log, 0)
}
