import { isIP } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { KitbagError } from '../../../src/model/errors.ts'
import { newId } from '../../../src/model/ids.ts'
import { floatingAddress, type MachineRequirements, preferredAddress } from '../../../src/model/machine.ts'
import type {
  Capabilities,
  CreateMachineRequest,
  MachineTags,
  Provider,
  ProviderMachine,
  StaticAddresses,
} from '../../../src/providers/contract.ts'

/** What a driver's test gives the suite: two connections, of two installations, to one and the same cloud. */
export interface ProviderUnderTest {
  provider: Provider
  /** As the driver declares them. */
  capabilities: Capabilities
  installation: string
  other: { provider: Provider; installation: string }
  image: string
  /** Called after the last test, when every machine was destroyed. */
  close?(): Promise<void>
}

/** Parts of the suite that a driver may be excused from, each with the reason. */
export interface OptOuts {
  regions?: string
  residue?: string
  staticAddresses?: string
}

const keys = {
  hostKey: { privateKey: 'no private key', publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE kitbag-test' },
  authorizedKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE login'],
  component: 'web',
}

/** What every driver must do, whatever the cloud. `make` is called once. */
export function testProvider(name: string, make: () => Promise<ProviderUnderTest>, optOuts: OptOuts = {}): void {
  describe(`${name}: provider conformance`, () => {
    let under: ProviderUnderTest
    const made: { provider: Provider; id: string }[] = []
    const owners: { provider: Provider; tags: MachineTags }[] = []

    beforeAll(async () => {
      under = await make()
    })

    // After each test, because a cloud may have few machines.
    afterEach(() => destroyAll())

    afterAll(async () => under?.close?.())

    /** What machines of a deployment shared goes with its last one. */
    async function destroyAll() {
      for (const { provider, id } of made.splice(0)) await provider.destroyMachine(id)
      for (const { provider, tags } of owners.splice(0)) await provider.release?.(tags)
    }

    const requirements = (): MachineRequirements => ({ cpu: 1, memory: 256 * 1024 * 1024, image: under.image })

    interface Wanted {
      provider?: Provider
      token?: string
      tags?: Partial<MachineTags>
      floatingAddress?: string
    }

    async function create(options: Wanted = {}) {
      const { provider = under.provider, token = newId('mac'), floatingAddress: shared } = options
      const tags = { installation: under.installation, deployment: 'dep_one', machine: token, ...options.tags }
      const wanted = { ...requirements(), ...(shared !== undefined && { floatingAddress: shared }) }
      const spec = await provider.resolve(wanted, { ordinal: 1 })
      const request: CreateMachineRequest = { name: 'web-1', spec, ...keys }
      const machine = await provider.createMachine(request, { token, tags })
      made.push({ provider, id: machine.id })
      if (!owners.some((one) => one.provider === provider && one.tags.deployment === tags.deployment))
        owners.push({ provider, tags })
      return { machine, token, tags }
    }

    async function running(machine: ProviderMachine, provider = under.provider): Promise<ProviderMachine> {
      for (let polls = 0; polls < 200; polls++) {
        const found = await provider.getMachine(machine.id)
        if (found?.status === 'running') return found
      }
      throw new Error(`${machine.id} is not running after 200 polls`)
    }

    test('the catalog offers the image, by its word and by an id of the cloud', async () => {
      const { images } = await under.provider.catalog()
      const { image } = await under.provider.resolve(requirements(), { ordinal: 1 })
      expect(images).toContainEqual({ word: under.image, id: image })
    })

    test('resolve pins the same words to the same ids, and keeps what was asked', async () => {
      const first = await under.provider.resolve(requirements(), { ordinal: 1 })
      expect(await under.provider.resolve(requirements(), { ordinal: 1 })).toEqual(first)
      expect(first.requirements).toEqual(requirements())
      expect(first.size).not.toBe('')
    })

    test('an unknown image is refused by name, with those that are known', async () => {
      const attempt = under.provider.resolve({ ...requirements(), image: 'plan-9' }, { ordinal: 1 })
      const error = await attempt.catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(KitbagError)
      expect(error).toMatchObject({ code: 'not-supported', retryable: false })
      expect(String(error)).toContain('plan-9')
      expect(String(error)).toContain(under.image)
    })

    test.skipIf(optOuts.regions)(`an unknown region is refused by name${because(optOuts.regions)}`, async () => {
      const attempt = under.provider.resolve(requirements(), { region: 'atlantis', ordinal: 1 })
      await expect(attempt).rejects.toMatchObject({ code: 'not-supported', message: /atlantis/ })
    })

    test('a machine carries its name and tags, and has an address once it runs', async () => {
      const { machine, tags } = await create()
      const found = await running(machine)
      expect(found).toMatchObject({ id: machine.id, name: 'web-1', tags, user: expect.any(String) })
      expect(found.sshPort).toBeGreaterThan(0)
      const address = preferredAddress(found.addresses)
      expect(isIP(address?.address ?? '')).toBe(address?.family)
      expect(['public', 'private']).toContain(address?.scope)
      expect(address?.network).not.toBe('')
    })

    test('the same token names the same machine: at once, and later', async () => {
      const token = newId('mac')
      const deployment = newId('dep')
      const together = await Promise.all([1, 2, 3].map(() => create({ token, tags: { deployment } })))
      const later = await create({ token, tags: { deployment } })
      const ids = new Set([...together, later].map(({ machine }) => machine.id))
      expect(ids.size).toBe(1)
      const tags = { installation: under.installation, deployment }
      expect(await under.provider.listMachines({ tags })).toHaveLength(1)
    })

    test('different tokens name different machines with different addresses', async () => {
      const two = await Promise.all([create(), create()])
      const found = await Promise.all(two.map(({ machine }) => running(machine)))
      expect(new Set(found.map(({ id }) => id)).size).toBe(2)
      expect(new Set(found.map(({ addresses }) => preferredAddress(addresses)?.address)).size).toBe(2)
    })

    test('list filters by every tag given', async () => {
      const deployment = newId('dep')
      const [a, b] = await Promise.all([create({ tags: { deployment } }), create({ tags: { deployment } })])
      const { installation } = under
      const ids = async (tags: Partial<MachineTags>) =>
        (await under.provider.listMachines({ tags: { installation, ...tags } })).map(({ id }) => id).sort()
      expect(await ids({ deployment })).toEqual([a.machine.id, b.machine.id].sort())
      expect(await ids({ deployment, machine: b.tags.machine })).toEqual([b.machine.id])
      expect(await ids({ deployment: 'dep_none' })).toEqual([])
    })

    test('an installation sees its own machines only', async () => {
      const { provider, installation } = under.other
      const theirs = await create({ provider, tags: { installation } })
      const ours = await create()
      const seen = await under.provider.listMachines({ tags: { installation: under.installation } })
      expect(seen.map(({ id }) => id)).toContain(ours.machine.id)
      expect(seen.map(({ id }) => id)).not.toContain(theirs.machine.id)
      const seenThere = await provider.listMachines({ tags: { installation } })
      expect(seenThere.map(({ id }) => id)).toEqual([theirs.machine.id])
    })

    test('an unknown machine is undefined, and destroying it succeeds', async () => {
      for (const id of ['never-was', '../../etc', '']) {
        expect(await under.provider.getMachine(id)).toBeUndefined()
        await under.provider.destroyMachine(id)
      }
    })

    test('a destroyed machine is gone, its destruction can be repeated, and its token makes a new one', async () => {
      const { machine, token, tags } = await create()
      await under.provider.destroyMachine(machine.id)
      expect((await under.provider.getMachine(machine.id))?.status ?? 'gone').toBe('gone')
      await Promise.all([under.provider.destroyMachine(machine.id), under.provider.destroyMachine(machine.id)])
      const again = await create({ token, tags })
      expect((await running(again.machine)).status).toBe('running')
    })

    test('a machine that is let go runs on, and is nobody’s: not listed, not destroyed, no residue', async () => {
      const { machine, tags } = await create({ tags: { deployment: newId('dep') } })
      await running(machine)
      const { provider, installation } = under
      await provider.letGo(machine.id)
      await provider.letGo(machine.id)
      await provider.letGo('never-was')
      expect(await provider.getMachine(machine.id)).toBeUndefined()
      expect(await provider.listMachines({ tags: { installation } })).toEqual([])
      made.splice(
        made.findIndex(({ id }) => id === machine.id),
        1,
      )
      // Refused or passed over: it stays.
      await provider.destroyMachine(machine.id).catch(() => {})
      await provider.release?.(tags)
      expect((await provider.residue?.(installation)) ?? []).toEqual([])
      if (!provider.marks) return
      expect(await provider.marks.find({ id: machine.id })).toMatchObject([{ id: machine.id, status: 'running' }])
      // Taken in again, so that it goes with the others.
      const owner = { installation, deployment: newId('dep'), machine: newId('mac') }
      await provider.marks.put(machine.id, { name: 'web-9', user: machine.user, component: 'web', tags: owner })
      made.push({ provider, id: machine.id })
      owners.push({ provider, tags: owner })
    })

    test('a machine that somebody else made is taken in by its marks, as one that no sweep destroys; or why not', async () => {
      const { imports } = under.capabilities
      if (imports !== true) {
        expect(imports.refused.length).toBeGreaterThan(20)
        expect(under.provider.marks).toBeUndefined()
        return
      }
      const { machine } = await create({ tags: { deployment: newId('dep') } })
      await running(machine)
      await under.provider.letGo(machine.id)
      const { provider, installation } = under
      const { marks } = provider
      const [found, ...more] = (await marks?.find({ id: machine.id })) ?? []
      expect(more).toEqual([])
      expect(found?.tags).toBeUndefined()
      expect(preferredAddress(found?.addresses ?? [])).toBeDefined()
      const tags = { installation, deployment: newId('dep'), machine: newId('mac') }
      owners.push({ provider, tags })
      const taken = { name: 'web-3', user: machine.user, component: 'web', tags }
      await marks?.put(machine.id, taken)
      await marks?.put(machine.id, taken)
      expect(await provider.getMachine(machine.id)).toMatchObject({ name: 'web-3', tags, imported: true })
      expect(await provider.listMachines({ tags })).toMatchObject([{ id: machine.id, imported: true }])
      expect(await marks?.find({ id: machine.id })).toMatchObject([{ tags }])
      const again = marks?.put(machine.id, { ...taken, tags: { ...tags, machine: newId('mac') } })
      await expect(again).rejects.toMatchObject({ code: 'conflict' })
      expect(await marks?.find({ id: 'i-0123456789abcdef0' })).toEqual([])
    })

    test('test() gives a finding per prerequisite, and all are met', async () => {
      const findings = await under.provider.test()
      expect(findings.length).toBeGreaterThan(0)
      expect(findings.filter(({ ok }) => !ok)).toEqual([])
    })

    test('machines of one name and deployment share a floating address, which nobody else gets; or there is none', async () => {
      const shared = async (options: Wanted = {}) => {
        const { machine } = await create({ floatingAddress: 'edge', ...options })
        const { addresses } = await running(machine)
        return {
          id: machine.id,
          own: preferredAddress(addresses)?.address,
          address: floatingAddress(addresses)?.address,
        }
      }
      const one = await shared()
      if (!under.capabilities.floatingAddress) {
        expect(one.address).toBeUndefined()
        return
      }
      const two = await shared()
      expect(isIP(one.address ?? '')).not.toBe(0)
      expect(two.address).toBe(one.address)
      const others = [await shared({ tags: { deployment: 'dep_two' } }), await shared({ floatingAddress: 'other' })]
      const all = [one.own, two.own, one.address, ...others.flatMap(({ own, address }) => [own, address])]
      const given = all.filter((address) => address !== undefined)
      expect(new Set(given).size).toBe(given.length)
      await under.provider.destroyMachine(one.id)
      expect((await shared()).address).toBe(two.address)
    })

    const { staticAddresses: withoutThem } = optOuts
    if (withoutThem)
      test(`there are no static addresses: ${withoutThem}`, () => {
        expect(under.provider.staticAddresses).toBeUndefined()
      })
    else
      test('a static address goes from machine to machine and outlives them, until it is released', async () => {
        const { provider, installation, other } = under
        const { assign, list, release } = provider.staticAddresses as StaticAddresses
        const [a, b] = await Promise.all([create(), create()])
        const [first, second] = await Promise.all([running(a.machine), running(b.machine)])
        const owner = { installation, deployment: 'dep_one' }
        expect([...first.addresses, ...second.addresses].filter((address) => address.static)).toEqual([])
        const given = await assign(owner, 'edge-1', first.id)
        const [edge, ...more] = given.filter((address) => address.static)
        expect(edge).toMatchObject({ family: 4, scope: 'public' })
        expect(more).toEqual([])
        expect(given.filter(({ family, scope }) => family === 4 && scope === 'public')).toEqual([edge])
        expect(await assign(owner, 'edge-1', first.id)).toEqual(given)
        const address = edge?.address ?? ''
        const shows = async (id: string) => (await provider.getMachine(id))?.addresses.map((one) => one.address)
        expect(await shows(first.id)).toContain(address)

        const next = await assign(owner, 'edge-2', second.id)
        const moved = await assign(owner, 'edge-1', second.id)
        expect(next.find((one) => one.static)?.address).not.toBe(address)
        expect(moved.filter((one) => one.static)).toEqual([edge])
        expect(await shows(first.id)).not.toContain(address)
        const all = await list(installation)
        expect(all.map(({ deployment, name }) => `${deployment} ${name}`).sort()).toEqual([
          'dep_one edge-1',
          'dep_one edge-2',
        ])
        expect(await other.provider.staticAddresses?.list(other.installation)).toEqual([])

        await provider.destroyMachine(second.id)
        expect((await assign(owner, 'edge-1', first.id)).find((one) => one.static)).toEqual(edge)
        await provider.destroyMachine(first.id)
        await release(owner, 'edge-1')
        await release(owner, 'edge-1')
        expect((await list(installation)).map(({ name }) => name)).toEqual(['edge-2'])
        await provider.release?.(owner)
        expect(await list(installation)).toEqual([])
      })

    test.skipIf(optOuts.residue)(`nothing is left once all is destroyed${because(optOuts.residue)}`, async () => {
      const { machine } = await create()
      expect(await under.provider.residue?.(under.installation)).not.toEqual([])
      const ids = (await under.provider.listMachines({ tags: { installation: under.installation } })).map(
        ({ id }) => id,
      )
      expect(ids).toContain(machine.id)
      expect(await under.provider.residue?.(under.installation, ids)).toEqual([])
      await destroyAll()
      const { other } = under
      expect(await under.provider.residue?.(under.installation)).toEqual([])
      expect(await other.provider.residue?.(other.installation)).toEqual([])
      expect(await under.provider.listMachines({ tags: { installation: under.installation } })).toEqual([])
    })
  })
}

function because(reason: string | undefined): string {
  return reason ? ` (excused: ${reason})` : ''
}
