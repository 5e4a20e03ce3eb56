import type { CloudRecord, DeploymentRecord, Store } from '../../db/store.ts'
import { machineFaults } from '../../lib/survey/faults.ts'
import { survey } from '../../lib/survey/survey.ts'
import { KitbagError } from '../../model/errors.ts'
import type { ExaminedMachine, ImportAsked, ImportFinding } from '../../model/imported-machine.ts'
import { loginAddress, type MachineAccess } from '../../model/machine.ts'
import type { Reach } from '../../model/reach.ts'
import { nextName } from '../../planner/imports.ts'
import type { Capabilities, FoundMachine, Provider, ProviderSsh } from '../../providers/contract.ts'
import type { ToolkitRegistry } from '../../toolkit/contract.ts'
import { hasFailed, listening, misfits, specOf, wantedOf } from './findings.ts'
import { type HostKey, judgeHostKey } from './host-key.ts'

export interface Imports {
  /** Throws `not-found`, `not-supported`, `invalid-request` where there is no one machine to look at. */
  examine(asked: ImportAsked, cloud: CloudRecord): Promise<ExaminedMachine>
}

export interface ImportsOptions {
  store: Pick<Store, 'deployments' | 'machines' | 'releases' | 'installation'>
  clouds: { provider(cloudId: string): Promise<Provider>; capabilities(cloudId: string): Promise<Capabilities> }
  reach: Pick<Reach, 'exec' | 'forget'>
  ssh: Pick<ProviderSsh, 'publicKey' | 'hostKeys'>
  toolkit: ToolkitRegistry
}

/** Id under which a machine without a row is reached: its cloud, and the cloud's own id. */
function importId(cloudId: string, providerId: string): string {
  return `import:${cloudId}:${providerId}`
}

export function createImports(options: ImportsOptions): Imports {
  const { store, clouds, reach, ssh, toolkit } = options

  async function examine(asked: ImportAsked, cloud: CloudRecord): Promise<ExaminedMachine> {
    const { imports, images } = await clouds.capabilities(cloud.id)
    const provider = await clouds.provider(cloud.id)
    if (imports !== true || !provider.marks)
      throw new KitbagError('not-supported', `cloud ${cloud.name}: ${imports === true ? 'no marks' : imports.refused}`)
    const found = await theOne(provider, asked, cloud)
    const deployment = await store.deployments.getByName(cloud.tenantId, asked.deployment)
    const wanted = await wantedOf({ store, toolkit }, asked.component, deployment, cloud)
    const rows = deployment ? await store.machines.list(deployment.id) : []
    const user = asked.user ?? found.user ?? 'debian'
    const findings: ImportFinding[] = [await belonging(found, deployment), ...running(found)]
    const examined: ExaminedMachine = { name: nextName(rows, asked.component), found, user, findings }
    const refusal = deployment && (await provider.marks.refusal?.(found.id, await ownerOf(deployment)))
    if (refusal) findings.push({ name: 'network', ok: false, code: 'not-supported', detail: refusal })
    if (hasFailed(findings)) return examined
    const login = loginAddress(found.addresses)
    const target = {
      id: importId(cloud.id, found.id),
      name: found.name,
      address: login?.address ?? '',
      port: asked.port,
      user,
    }
    const hostKey = await judge(provider, asked, found, target, findings)
    if (hostKey) examined.hostKey = hostKey
    if (!hostKey?.pinned) return examined
    const access = { ...target, hostKey: hostKey.pinned }
    const seen = await lookAt(access, findings)
    if (!seen) return examined
    const faults = machineFaults({ name: found.name, user, images }, seen)
    findings.push(...faults.map(({ what, detail, fix }) => ({ name: what, ok: false, detail, fix })))
    if (seen.mark !== undefined)
      findings.push({
        name: 'mark',
        ok: false,
        code: 'conflict',
        detail: 'carries the mark of an installation of Kitbag that claimed it by SSH (/etc/kitbag/claim.json)',
      })
    const spec = specOf(found, seen)
    findings.push(...misfits(wanted, spec), ...listening(wanted, seen))
    if (hasFailed(findings)) return examined
    const { component, port } = asked
    const where = { cloud: cloud.id, providerId: found.id, addresses: found.addresses, spec }
    return { ...examined, machine: { component, user, port, hostKey: hostKey.pinned, ...where } }
  }

  async function ownerOf({ id }: DeploymentRecord) {
    return { installation: (await store.installation.get()).id, deployment: id }
  }

  /** Whose it is. */
  async function belonging({ id, tags }: FoundMachine, deployment?: DeploymentRecord): Promise<ImportFinding> {
    if (!tags) return { name: 'owner', ok: true, detail: 'carries no marks of Kitbag' }
    const refused = (detail: string, fix?: string): ImportFinding => ({
      name: 'owner',
      ok: false,
      code: 'conflict',
      detail,
      ...(fix && { fix }),
    })
    const { id: installation } = await store.installation.get()
    if (tags.installation !== installation)
      return refused(
        `belongs to another installation of Kitbag (${tags.installation})`,
        'Forget it there first; if that installation is gone, take its tags off.',
      )
    const row = await store.machines.get(tags.machine)
    if (!row) return refused('carries marks of this installation, and no deployment has it', 'See kitbag sweep.')
    const of = row.deploymentId === deployment?.id ? deployment : await store.deployments.get(row.deploymentId)
    return refused(
      `${id} is ${row.name} of ${of?.name} already`,
      `Let it go first: kitbag forget ${of?.name} --machine ${row.name}`,
    )
  }

  async function judge(
    provider: Provider,
    { fingerprint: given }: ImportAsked,
    found: FoundMachine,
    target: Omit<MachineAccess, 'hostKey'>,
    findings: ImportFinding[],
  ): Promise<HostKey | undefined> {
    const name = 'host key'
    let keys: string[]
    try {
      const way = { ...target, ...(await provider.route?.(found.id)) }
      keys = found.hostKey === undefined ? await ssh.hostKeys(way) : [found.hostKey]
    } catch (error) {
      findings.push(failure('ssh', error))
      return undefined
    }
    const console =
      given === undefined && !found.hostKey ? await provider.console?.(found.id).catch(() => undefined) : undefined
    const judged = judgeHostKey({
      keys,
      fromCloud: found.hostKey !== undefined,
      ...(given !== undefined && { given }),
      ...(console !== undefined && { console }),
    })
    if (!judged) {
      const shown = judgeHostKey({ keys, fromCloud: false })?.fingerprint ?? 'none'
      const detail = `shows another host key than the one given: given ${given}, shown ${shown}. Nothing was sent.`
      findings.push({ name, ok: false, code: 'host-key-mismatch', detail })
    } else if (judged.pinned === undefined) {
      const detail = `shows ${judged.fingerprint}, and nobody says that it is the right one`
      const fix = `Compare it with what this prints there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; then give it: --fingerprint ${judged.fingerprint}`
      findings.push({ name, ok: false, detail, fix })
    } else findings.push({ name, ok: true, detail: `${judged.fingerprint} (${sources[judged.source]})` })
    return judged
  }

  async function lookAt(access: MachineAccess, findings: ImportFinding[]) {
    try {
      const seen = await survey(reach, access)
      findings.push({ name: 'login', ok: true, detail: `${access.user} may use sudo` })
      return seen
    } catch (error) {
      const found = failure('login', error)
      const hint = `Kitbag logs in with its own key; put this line into ~${access.user}/.ssh/authorized_keys there: ${ssh.publicKey}`
      findings.push({ ...found, fix: found.fix ?? hint })
      return undefined
    } finally {
      reach.forget(access.id)
    }
  }

  return { examine }
}

const sources = {
  given: 'as given',
  cloud: 'its cloud says so',
  console: 'it stands on its console',
  shown: 'as it shows it',
} satisfies Record<HostKey['source'], string>

function failure(name: string, error: unknown): ImportFinding {
  if (!(error instanceof KitbagError)) throw error
  return { name, ok: false, code: error.code, detail: error.message, ...(error.fix && { fix: error.fix }) }
}

function running({ status, addresses }: FoundMachine): ImportFinding[] {
  if (status !== 'running')
    return [
      { name: 'state', ok: false, code: 'conflict', detail: `is ${status}`, fix: 'Start it, and import it then.' },
    ]
  if (!loginAddress(addresses))
    return [
      {
        name: 'address',
        ok: false,
        detail: 'has no address that Kitbag could log in at',
        fix: 'Give it one, or set reach of the cloud.',
      },
    ]
  return [{ name: 'state', ok: true, detail: 'is running' }]
}

async function theOne(provider: Provider, { id, tag }: ImportAsked, cloud: CloudRecord): Promise<FoundMachine> {
  const query = id !== undefined ? { id } : tag && { tag }
  if (!query) throw new KitbagError('invalid-request', 'an import names a machine: by its id, or by a tag of its own')
  const all = (await provider.marks?.find(query)) ?? []
  const what = 'id' in query ? query.id : `${query.tag.name}=${query.tag.value}`
  const [first, ...others] = all
  if (!first) throw new KitbagError('not-found', `cloud ${cloud.name} has no machine ${what}`)
  if (others.length === 0) return first
  const list = all.map((one) => `${one.id} (${one.name}, ${one.status})`).join(', ')
  throw new KitbagError('invalid-request', `${all.length} machines are ${what}: ${list}`, {
    fix: 'Name one of them by its id; each is imported by itself.',
  })
}
