import { sleep } from '../../lib/clock.ts'
import { KitbagError } from '../../model/errors.ts'
import { type MachineRecord, preferredAddress } from '../../model/machine.ts'
import type { Unit } from '../../model/plan.ts'
import { portsOf } from '../../planner/admissions.ts'
import type { CreateMachineRequest, Provider, ProviderMachine } from '../../providers/contract.ts'
import { generateKeyPair } from '../../shell/keys.ts'
import { machineAccess } from '../machine-access.ts'
import { openAcrossClouds } from '../secure-clouds.ts'
import { firstAddresses } from '../static-addresses.ts'
import type { UnitWork } from '../unit-work.ts'
import { worldOf } from '../world-of.ts'
import { destroy } from './destroy.ts'
import { share } from './share.ts'

type Creating = MachineRecord & { createToken: string; hostKeyPrivate: string }

/**
 * Makes the machine and waits until it answers SSH with its pinned key. The row, with token and host key, stands before the call: so
 * the call may be repeated any number of times, and what it made can always be found and destroyed.
 */
export async function create(work: UnitWork): Promise<void> {
  const { deps, unit } = work
  if (!unit.create) throw new KitbagError('internal', `${unit.id}: a create unit without a specification`)
  if (unit.create.on !== undefined) return share(work, unit.create, unit.create.on)
  const provider = await deps.clouds.provider(unit.create.cloud)
  const row = await ensureRow(work, unit.create)
  if (row.status !== 'creating') return
  try {
    const machine = await untilAddressed(work, provider, await ensureMachine(work, provider, row))
    const { id: providerId, user, sshPort, hostKey = row.hostKey } = machine
    const addresses = await firstAddresses(work, provider, { ...row, providerId, addresses: machine.addresses })
    await work.boundary('create/addressed')
    const spec = { ...row.spec, size: machine.size ?? row.spec.size }
    const known = { providerId, addresses, user, sshPort, hostKey, spec }
    await deps.store.machines.update(row.id, { ...known, status: 'creating' })
    await openAcrossClouds(deps, work.deployment, work.plan.release)
    await untilReachable(work, provider, { ...row, ...known })
    await deps.store.machines.update(row.id, { status: 'created' })
  } catch (error) {
    if (error instanceof KitbagError && !error.retryable && error.code !== 'cancelled') {
      await deps.store.machines.update(row.id, { status: 'failed' })
    }
    throw error
  }
}

async function ensureRow(work: UnitWork, create: NonNullable<Unit['create']>): Promise<Creating> {
  const { deps, deployment, unit } = work
  const { ordinal, cloud: cloudId, spec, stateful } = create
  const { component, machine: name } = unit
  const machine = { component, name, ordinal, cloudId, spec, stateful }
  const row = await deps.store.machines.ensureCreating(deployment.id, machine, generateKeyPair(name))
  if (row.status !== 'failed' && row.status !== 'lost' && row.status !== 'destroying') return row
  // What an earlier operation could not finish goes first: a new row has a new token, and so a new machine.
  await destroy(work)
  return deps.store.machines.ensureCreating(deployment.id, machine, generateKeyPair(name))
}

async function ensureMachine(work: UnitWork, provider: Provider, row: Creating): Promise<ProviderMachine> {
  if (row.providerId) return (await provider.getMachine(row.providerId)) ?? died(row.name, 'it does not exist any more')
  const { deps, deployment } = work
  const installation = await deps.store.installation.get()
  const ports = await listeningOn(work)
  const machine = await provider.createMachine(
    {
      name: row.name,
      spec: row.spec,
      hostKey: { privateKey: row.hostKeyPrivate, publicKey: row.hostKey },
      authorizedKeys: [installation.sshPublicKey],
      component: row.component,
      ...(ports && { ports }),
    },
    { token: row.createToken, tags: { installation: installation.id, deployment: deployment.id, machine: row.id } },
  )
  await work.boundary('create/made')
  await deps.store.machines.update(row.id, { providerId: machine.id })
  return machine
}

/** Where the component, and what shares its machines, will listen, as far as it is known before the machine is. */
async function listeningOn(work: UnitWork): Promise<CreateMachineRequest['ports']> {
  const { release, components } = await worldOf(work)
  const component = components.find(({ name }) => name === work.unit.component)
  return component && portsOf(release, components, component)
}

/** Waits until the cloud says that it runs and where. */
async function untilAddressed(work: UnitWork, provider: Provider, made: ProviderMachine): Promise<ProviderMachine> {
  const { signal, timings, unit } = work
  const deadline = Date.now() + timings.boot
  for (let machine = made; ; ) {
    refuseDead(unit.machine, machine)
    if (machine.status === 'running' && preferredAddress(machine.addresses)) return machine
    if (Date.now() > deadline) {
      const console = await readConsole(provider, machine.id)
      const lacking = preferredAddress(machine.addresses) ? '' : ' without an address'
      died(unit.machine, `it is still ${machine.status}${lacking} after ${timings.boot / 1_000} s`, undefined, console)
    }
    await sleep(timings.poll, signal)
    machine = (await provider.getMachine(machine.id)) ?? died(unit.machine, 'it does not exist any more')
  }
}

/** Waits for SSH, and for as long looks whether the machine still lives. */
async function untilReachable(work: UnitWork, provider: Provider, row: MachineRecord): Promise<void> {
  const { deps, timings } = work
  const access = machineAccess(row)
  const over = new AbortController()
  const signal = AbortSignal.any([work.signal, over.signal])
  const watch = async () => {
    for (;;) {
      await sleep(Math.max(timings.poll, 1_000), signal)
      const machine = await provider.getMachine(row.providerId ?? '').catch(orUnknown)
      if (machine !== 'unknown') refuseDead(row.name, machine)
    }
  }
  const watching = watch()
  watching.catch(() => undefined)
  try {
    await Promise.race([deps.reach.waitForSsh(access, { timeout: timings.boot, signal }), watching])
  } catch (error) {
    work.signal.throwIfAborted()
    if (!(error instanceof KitbagError) || error.code !== 'machine-unreachable') throw error
    const said = await provider.getMachine(row.providerId ?? '').catch(() => undefined)
    const console = await readConsole(provider, row.providerId ?? '')
    died(row.name, `${error.message}; its cloud says: ${said?.status ?? 'no such machine'}`, error, console)
  } finally {
    over.abort()
  }
}

/** A cloud that does not answer just now says nothing about the machine. */
function orUnknown(error: unknown): 'unknown' {
  if (error instanceof KitbagError && error.retryable) return 'unknown'
  throw error
}

function refuseDead(name: string, machine: ProviderMachine | undefined): void {
  if (!machine || machine.status === 'gone')
    died(name, 'it died: its cloud says that there is no such machine any more')
  if (machine.status === 'stopped') died(name, 'it died: its cloud says that it is stopped')
}

/** undefined: its cloud keeps none, or does not give it. */
async function readConsole(provider: Provider, id: string): Promise<string | undefined> {
  return provider.console?.(id).catch(() => undefined)
}

/** Lines of a console that are told. */
const consoleLines = 20

function died(machine: string, what: string, cause?: unknown, console = ''): never {
  const output = console.trimEnd().split('\n').slice(-consoleLines).join('\n')
  throw new KitbagError('provider-failed', `${machine} did not come up: ${what}`, {
    machine,
    ...(output !== '' && { output }),
    fix: 'Deploy again: a new machine takes its place.',
    ...(cause !== undefined && { cause }),
  })
}
