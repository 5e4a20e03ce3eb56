import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import type { ImportAsked } from '../../../src/model/imported-machine.ts'
import type { OperationRecord } from '../../../src/model/operation.ts'
import { loadPlanInput } from '../../../src/planner/load.ts'
import { plan } from '../../../src/planner/plan.ts'
import { appRelease } from '../../support/app.ts'
import { type Flow, startFlow } from '../../support/flow.ts'
import { plainMachine } from '../../support/scripted-reach.ts'

let flow: Flow
let planted = 0

beforeAll(async () => {
  flow = await startFlow()
})

afterAll(() => flow?.stop())

beforeEach(() => flow.reset())

const noTags = { installation: '', deployment: '', machine: '' }
const small = { db: false } as const

/** A machine that somebody else made; gives its id. */
function plant(): string {
  const number = ++planted
  const id = `theirs-${number}`
  const addresses = [{ address: `10.99.0.${number}`, family: 4 as const, scope: 'private' as const, network: 'theirs' }]
  const rest = { name: id, token: id, tags: noTags, user: 'admin', sshPort: 22 }
  flow.cloud.machines.set(id, { id, status: 'running', addresses, ...rest })
  return id
}

const at = (id: string) => flow.cloud.machines.get(id)

async function examine(deployment: string, id: string, more: Partial<ImportAsked> = {}) {
  const home = await flow.store.clouds.getByName(flow.parts.tenantId, 'home')
  if (!home) throw new Error('no cloud')
  return flow.parts.imports.examine({ deployment, component: 'web', id, port: 22, ...more }, home)
}

async function imported(deployment: string, id: string): Promise<OperationRecord> {
  const { machine, findings } = await examine(deployment, id, { user: 'admin' })
  expect(findings.filter(({ ok }) => !ok)).toEqual([])
  if (!machine) throw new Error('nothing to import')
  return flow.finished(await flow.submit(deployment, 'import', { import: machine }))
}

async function rows(name: string) {
  const { id = '' } = (await flow.store.deployments.getByName(flow.parts.tenantId, name)) ?? {}
  return flow.store.machines.list(id)
}

const states = async (name: string) => (await rows(name)).map((row) => `${row.name} ${row.status}`)

describe('import', () => {
  test('marks the machine and changes nothing on it; the next deploy has it as the next of its component', async () => {
    await flow.deployed('joins', appRelease(small))
    flow.reach.programs.length = 0
    const id = plant()
    expect(await imported('joins', id)).toMatchObject({ status: 'succeeded', error: null })
    expect(flow.reach.programs).toEqual([])
    const made = flow.cloud.made
    expect(await states('joins')).toContain('web-3 imported')
    expect(at(id)?.tags.machine).toBe((await rows('joins')).find(({ name }) => name === 'web-3')?.id)
    // It has no place, and nobody is told of it.
    expect((await flow.deployed('joins', appRelease(small))).result?.units).toBe(0)
    const outputs = (await flow.deployed('joins', appRelease({ ...small, web: 3 }))).result?.outputs
    expect(flow.cloud.made).toBe(made)
    expect(await states('joins')).toEqual(['load-balancer-1 ready', 'web-1 ready', 'web-2 ready', 'web-3 ready'])
    expect(JSON.stringify(outputs)).toContain('10.99.0.')
    expect(flow.balancer.calls).toContain('join web-3')
  })

  test('before the first deploy, which then makes only what is missing', async () => {
    await flow.store.deployments.ensure(flow.parts.tenantId, 'brought')
    const id = plant()
    expect((await imported('brought', id)).status).toBe('succeeded')
    const made = flow.cloud.made
    expect((await flow.deployed('brought', appRelease(small))).status).toBe('succeeded')
    expect(flow.cloud.made - made).toBe(2)
    expect((await rows('brought')).find(({ name }) => name === 'web-1')).toMatchObject({
      providerId: id,
      user: 'admin',
    })
  })

  test('a deploy that fails lets it wait again, and never deletes it', async () => {
    const id = plant()
    await imported('unlucky', id)
    flow.reach.hook = ({ name }) => (name === 'web-2' ? 'package:nodejs' : undefined)
    expect((await flow.deployed('unlucky', appRelease(small))).status).toBe('failed')
    flow.reach.hook = undefined
    expect(await states('unlucky')).toEqual(['web-1 imported'])
    expect(at(id)?.status).toBe('running')
    expect((await flow.deployed('unlucky', appRelease(small))).status).toBe('succeeded')
    expect((await rows('unlucky')).find(({ name }) => name === 'web-1')?.providerId).toBe(id)
  })

  test('is planned by a look at the machine, which brings no secret there and changes nothing', async () => {
    await flow.deployed('previewed', appRelease())
    const id = plant()
    await imported('previewed', id)
    const texts: string[] = []
    flow.reach.hook = (_, { text }) => void texts.push(text)
    const { id: deployment = '' } = (await flow.store.deployments.getByName(flow.parts.tenantId, 'previewed')) ?? {}
    const secret = await flow.store.secrets.get(deployment, 'db.password', 1)
    expect(secret).toEqual(expect.any(String))
    const wanted = { number: 2, spec: appRelease({ web: 3 }) }
    const input = await loadPlanInput(flow.store, deployment, { kind: 'deploy', release: wanted }, flow.parts.toolkit)
    const look = () => flow.parts.previews(input, plan(input, new Map()), flow.parts.tenantId)
    const [seen, ...others] = await look()
    expect(others).toEqual([])
    expect(seen).toMatchObject({ machine: 'web-3' })
    expect(seen?.unknown).toBeUndefined()
    expect(seen?.changes).toContainEqual({ resource: 'package:nodejs', changes: ['made'] })
    expect(seen?.changes.map(({ resource }) => resource)).toContainEqual(expect.stringMatching(/^(file|systemd-unit):/))
    expect(texts.length).toBe(2)
    for (const text of texts) expect(text).toMatch(/\bMODE='?check\b/)
    expect(texts.join()).toContain('postgres://web:[secret]@')
    expect(texts.join()).not.toContain(secret)
    flow.reach.silent.add('web-3')
    expect(await look()).toMatchObject([{ changes: [], unknown: expect.stringContaining('web-3 does not answer') }])
  })

  test('that cannot put its marks leaves no row, and the machine untouched', async () => {
    await flow.deployed('unmarked', appRelease(small))
    const id = plant()
    flow.cloud.hook = (call, phase) => {
      if (call === 'marks' && phase === 'before') throw new KitbagError('provider-failed', 'it may not be tagged')
    }
    const operation = await imported('unmarked', id)
    expect(operation).toMatchObject({ status: 'failed', error: { code: 'provider-failed' } })
    expect(operation.error?.message).toContain('nothing was changed on it')
    expect(await states('unmarked')).not.toContain('web-3 imported')
    expect(at(id)?.tags).toEqual(noTags)
  })

  test('of one machine by two at once is one of them’s', async () => {
    const id = plant()
    const [one, two] = [await examine('left', id), await examine('right', id)]
    const both = [one, two].map(async ({ machine }, i) => {
      if (!machine) throw new Error('nothing to import')
      return flow.finished(await flow.submit(['left', 'right'][i] ?? '', 'import', { import: machine }))
    })
    const ended = await Promise.all(both)
    expect(ended.map(({ status }) => status).sort()).toEqual(['failed', 'succeeded'])
    expect([...(await states('left')), ...(await states('right'))]).toEqual(['web-1 imported'])
  })

  test('does not fit a component that asks for more by the time of the deploy: said, and nothing is made in its place', async () => {
    const id = plant()
    flow.reach.survey = plainMachine().replace('memory 8388608', 'memory 262144')
    await imported('larger', id)
    const made = flow.cloud.made
    const operation = await flow.deployed('larger', appRelease(small))
    expect(operation.error?.message).toMatch(
      /web-1 was imported and does not fit: memory of web changed \(\d+ -> \d+\)/,
    )
    expect(flow.cloud.made).toBe(made)
  })
})

describe('what is refused, before anything is changed', () => {
  const refusals = async (deployment: string, id: string, more: Partial<ImportAsked> = {}) => {
    const { findings, machine } = await examine(deployment, id, more)
    expect(machine).toBeUndefined()
    expect(flow.reach.programs).toEqual([])
    return findings.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
  }

  test('what is not there, not running, managed already, or somebody else’s', async () => {
    await expect(examine('shop', 'never-was')).rejects.toThrow('cloud home has no machine never-was')
    const id = plant()
    const machine = at(id)
    if (!machine) throw new Error('no machine')
    machine.status = 'stopped'
    expect(await refusals('shop', id)).toEqual(['state: is stopped'])
    machine.status = 'running'
    machine.tags = { installation: 'ins_other', deployment: 'dep_x', machine: 'mac_x' }
    expect(await refusals('shop', id)).toEqual(['owner: belongs to another installation of Kitbag (ins_other)'])
    machine.tags = noTags
    await imported('has', id)
    expect(await refusals('shop', id)).toEqual([`owner: ${id} is web-1 of has already`])
  })

  test('another host key, no login, no sudo, another system', async () => {
    const id = plant()
    const wrong = `SHA256:${'A'.repeat(43)}`
    const [key] = await refusals('shop', id, { fingerprint: wrong })
    expect(key).toMatch(
      new RegExp(`host key: shows another host key than the one given: given ${wrong.replace('+', '.')}`),
    )
    flow.reach.silent.add(id)
    expect(await refusals('shop', id)).toEqual([expect.stringContaining(`login: ${id} does not answer`)])
    flow.reach.silent.clear()
    flow.reach.survey = 'sudo: a password is required\n'
    expect(await refusals('shop', id)).toEqual([expect.stringContaining('login:')])
    flow.reach.survey = plainMachine().replace('image debian-13', 'image arch-').replace('os Debian', 'os Arch Linux')
    expect(await refusals('shop', id)).toEqual(['system: runs Arch Linux; Kitbag knows debian-13'])
  })

  test('a component that there is not, and a machine too small for it', async () => {
    await flow.deployed('sized', appRelease(small))
    flow.reach.programs.length = 0
    const id = plant()
    await expect(examine('sized', id, { component: 'wep' })).rejects.toThrow(
      'sized has no component wep; it has: web, loadBalancer',
    )
    flow.reach.survey = plainMachine().replace('memory 8388608', 'memory 262144')
    expect(await refusals('sized', id)).toEqual(['memory: has 256 MiB of memory, and 512 are asked for'])
  })
})

describe('forget', () => {
  test('of one machine takes it out of traffic and lets it run; the next deploy makes another', async () => {
    await flow.deployed('fewer', appRelease(small))
    const [row] = (await rows('fewer')).filter(({ name }) => name === 'web-2')
    const made = flow.cloud.made
    const operation = await flow.finished(await flow.submit('fewer', 'forget', { machines: ['web-2'] }))
    expect(operation).toMatchObject({ status: 'succeeded', error: null })
    expect(await flow.units(operation)).toContain('main web-2/forget done')
    expect(flow.balancer.calls).toContain('leave web-2')
    expect([flow.cloud.made, at(row?.providerId ?? '')?.tags]).toEqual([made, noTags])
    expect(await states('fewer')).toEqual(['load-balancer-1 ready', 'web-1 ready'])
    expect((await imported('fewer', row?.providerId ?? '')).status).toBe('succeeded')
    expect((await flow.deployed('fewer', appRelease(small))).status).toBe('succeeded')
    expect(flow.cloud.made).toBe(made)
    expect((await rows('fewer')).find(({ name }) => name === 'web-2')?.providerId).toBe(row?.providerId)
  })

  test('of a deployment touches no machine: all run on, and the name is free', async () => {
    await flow.deployed('whole', appRelease())
    const before = await rows('whole')
    flow.reach.programs.length = 0
    flow.balancer.calls.length = 0
    const operation = await flow.finished(await flow.submit('whole', 'forget'))
    expect(operation).toMatchObject({ status: 'succeeded', error: null })
    expect([flow.reach.programs, flow.balancer.calls]).toEqual([[], []])
    expect(await flow.store.deployments.getByName(flow.parts.tenantId, 'whole')).toBeUndefined()
    expect(before.map(({ providerId = '' }) => at(providerId)?.tags)).toEqual(before.map(() => noTags))
  })

  test('of what holds data, or of the last machine that another component uses, is refused', async () => {
    await flow.deployed('needed', appRelease())
    const forget = async (request: object) => flow.finished(await flow.submit('needed', 'forget', request))
    expect((await forget({ machines: ['db-1'], allowDataLoss: ['db'] })).error?.message).toContain('web uses db')
    await flow.deployed('data', appRelease({ web: 0 }))
    const kept = await flow.finished(await flow.submit('data', 'forget', { machines: ['db-1'] }))
    expect(kept.error).toMatchObject({ code: expect.stringMatching(/data-loss-refused|conflict/) })
    expect(await states('needed')).toHaveLength(4)
  })
})

describe('destroy', () => {
  test('lets imported machines go, unless they are named', async () => {
    const [kept, deleted] = [plant(), plant()]
    await imported('ended', kept)
    await imported('ended', deleted)
    await flow.deployed('ended', appRelease(small))
    const operation = await flow.finished(await flow.submit('ended', 'destroy', { deleteImported: ['web-2'] }))
    expect(operation).toMatchObject({ status: 'succeeded', error: null })
    expect([at(kept)?.tags, at(deleted)]).toEqual([noTags, undefined])
    expect(await flow.store.deployments.getByName(flow.parts.tenantId, 'ended')).toBeUndefined()
  })

  test('of what is not there any more: a sweep takes marks off what was imported, and deletes nothing of it', async () => {
    const id = plant()
    await imported('swept', id)
    const [row] = await rows('swept')
    await flow.store.machines.remove(row?.id ?? '')
    const report = await flow.parts.clouds.sweep({ remove: true, tenantId: flow.parts.tenantId })
    expect(report.machines.map((one) => one.id)).toContain(id)
    expect(at(id)).toMatchObject({ status: 'running', tags: noTags })
  })
})
