import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResolvedComponent } from '../../../src/model/blueprint.ts'
import { machineIdOf } from '../../../src/model/machine.ts'
import type { Plan, Unit } from '../../../src/model/plan.ts'
import type { ReleaseSpec } from '../../../src/model/release.ts'
import { expand } from '../../../src/planner/expand.ts'
import { linksOf } from '../../../src/planner/links.ts'
import type { PlanInput } from '../../../src/planner/plan-input.ts'
import { toolkit } from '../../../src/toolkit/registry.ts'
import { apply, carriedBy, mayCome, ordered } from './execution.ts'
import { balancer, component, copyOf, inputFor, nothing, planOf, release, type State } from './world.ts'

/** Any shop: an application and another that may use each other, a database, a cluster of peers, and balancers. */
const releases: fc.Arbitrary<ReleaseSpec> = fc
  .record({
    web: fc.nat(4),
    api: fc.nat(3),
    mesh: fc.nat(3),
    db: fc.boolean(),
    source: fc.constantFrom('1', '2'),
    image: fc.constantFrom('debian-12', 'debian-13'),
    apiImage: fc.constantFrom('debian-12', 'debian-13'),
    dbMemory: fc.constantFrom(2 ** 29, 2 ** 30),
    maxUnavailable: fc.integer({ min: 1, max: 3 }),
    migrate: fc.boolean(),
    webUsesApi: fc.boolean(),
    apiUsesWeb: fc.boolean(),
    meshUsesApi: fc.boolean(),
    secret: fc.integer({ min: 1, max: 2 }),
    balancers: fc.nat(2),
    isLimited: fc.boolean(),
    members: fc.constantFrom(['web'], ['web', 'api'], ['api']),
    firewall: fc.boolean(),
    shares: fc.record({
      api: fc.constantFrom(undefined, undefined, 'web'),
      mesh: fc.constantFrom(undefined, 'web', 'api'),
      db: fc.constantFrom(undefined, 'web', 'api', 'mesh'),
      loadBalancer: fc.constantFrom(undefined, 'web', 'mesh', 'db'),
    }),
  })
  .map((is) => {
    const sizes: Record<string, number> = { web: is.web, api: is.api, mesh: is.mesh, db: is.db ? 1 : 0 }
    /** On machines of another, where that has as many of its own. */
    const placed = (name: keyof typeof is.shares, replicas: number): { placement?: { with: string } } => {
      const host = is.shares[name] ?? ''
      const isGuest =
        is.shares[host as typeof name] !== undefined &&
        placed(host as typeof name, sizes[host] ?? 0).placement !== undefined
      return host !== '' && !isGuest && replicas <= (sizes[host] ?? 0) ? { placement: { with: host } } : {}
    }
    const update = { maxUnavailable: is.maxUnavailable, drain: 0 }
    const present = [is.web > 0 && 'web', is.api > 0 && 'api', is.db && 'db'].filter((name) => name !== false)
    const refer = (name: string, output: string, when = true) =>
      when && present.includes(name) ? { [name.toUpperCase()]: { $ref: `${name}.${output}` } } : {}
    const components: (ResolvedComponent | false)[] = [
      is.web > 0 &&
        component('web', 'nodejs', {
          replicas: is.web,
          machine: { image: is.image },
          update,
          ...(is.migrate && { migrate: 'node migrate.js' }),
          env: { ...refer('db', 'url'), ...refer('api', 'addresses', is.webUsesApi) },
        }),
      is.api > 0 &&
        component('api', 'nodejs', {
          replicas: is.api,
          port: 8081,
          ...placed('api', is.api),
          machine: { image: is.apiImage },
          update,
          env: { ...refer('db', 'host'), ...refer('web', 'machines', is.apiUsesWeb) },
        }),
      is.mesh > 0 &&
        component('mesh', 'mesh', {
          replicas: is.mesh,
          ...placed('mesh', is.mesh),
          settings: refer('api', 'host', is.meshUsesApi),
        }),
      is.db && component('db', 'postgresql', { machine: { memory: is.dbMemory }, ...placed('db', 1) }),
    ]
    const members = is.members.filter((name) => present.includes(name))
    return release({
      components: components.filter((one) => one !== false),
      services:
        is.balancers > 0 && members.length > 0
          ? [balancer(members, is.balancers, 'loadBalancer', { ...is, ...placed('loadBalancer', is.balancers) })]
          : [],
      source: is.source,
      firewall: is.firewall,
      secretVersions: is.db ? { 'db.password': is.secret } : {},
    })
  })

const everything = { allowDataLoss: ['db'] }

/** From the release in force (1) to another (2). */
function forwardInput(state: State, from: ReleaseSpec, to: ReleaseSpec): PlanInput {
  const releases = { current: { number: 1, spec: from }, release: { number: 2, spec: to } }
  return inputFor(to, state, { ...everything, ...releases })
}

/** Back to the release in force. */
function backInput(state: State, from: ReleaseSpec, to: ReleaseSpec): PlanInput {
  const releases = { current: { number: 1, spec: from }, leaving: { number: 2, spec: to } }
  return inputFor(from, state, { ...everything, kind: 'undo', ...releases })
}

/** Chooses among the units that may be next. */
const choosing = fc.infiniteStream(fc.nat(1_000)).map((numbers) => (count: number) => {
  const { value } = numbers.next()
  return count === 0 ? 0 : (value as number) % count
})

/** Applies units in order and looks at every step whether anybody was hurt. */
function run(state: State, input: PlanInput, made: Plan, pick: (count: number) => number, most = Infinity): boolean {
  const services = input.release ? expand(input.release.spec, toolkit, {}).services : []
  const serving = new Map(services.map(({ name }) => [name, carriedBy(state, name)]))
  const held = new Set<string>()
  const order = ordered(made, pick)
  for (const [i, unit] of order.entries()) {
    if (i >= most) {
      apply(state, input, made, unit, 'begun')
      return false
    }
    try {
      watch(state, input, made, unit, { serving, held })
    } catch (error) {
      const story = made.units.map(
        ({ id, needs, without }) => `${id} <- ${needs.join(' ')}${without ? ` without ${without}` : ''}`,
      )
      const rows = state.machines.map(({ name, status }) => `${name} ${status}`)
      throw new Error(`at ${unit.id}: ${(error as Error).message}\n${rows.join(', ')}\n${story.join('\n')}`, {
        cause: error,
      })
    }
    apply(state, input, made, unit)
  }
  return true
}

function watch(
  state: State,
  input: PlanInput,
  made: Plan,
  unit: Unit,
  { serving, held }: { serving: Map<string, Set<string>>; held: Set<string> },
): void {
  if (!input.release) return
  const { components, services } = expand(input.release.spec, toolkit, {})
  const own = components.find(({ name }) => name === unit.component)
  const rows = state.machines.filter((machine) => machine.component === unit.component)
  const row = rows.find(({ name }) => name === unit.machine)
  // Nothing is left on a machine that goes, and two of a kind are never on one.
  if (unit.kind === 'destroy') expect(state.machines.filter(({ hostId }) => hostId === row?.id && row)).toEqual([])
  if (unit.create?.on !== undefined) {
    const host = state.machines.find(({ name }) => name === unit.create?.on)
    expect(rows.filter((other) => other.hostId === host?.id && other.name !== unit.machine)).toEqual([])
  }
  if (unit.kind === 'destroy' && own) {
    const naming = [...state.named].filter(([, names]) => names.has(unit.machine)).map(([name]) => name)
    const leaving = new Set(made.units.filter(({ kind }) => kind === 'destroy').map(({ machine }) => machine))
    expect(naming.filter((name) => !leaving.has(name))).toEqual([])
  }
  // A release without firewalls lets nobody in anywhere else than where it takes them away.
  const involved = [input.release, input.current, input.leaving].filter((release) => release !== undefined)
  if (involved.every(({ spec }) => spec.blueprint.firewall)) watchAdmission(state, made, unit, components, held)
  for (const { name: service, members } of services) {
    const carried = carriedBy(state, service)
    if (!members.includes(unit.component) || !own) continue
    const inTraffic = rows.filter(({ name }) => carried.has(name)).length
    if (unit.kind === 'destroy' && row?.status === 'ready') expect(carried.has(unit.machine)).toBe(false)
    // Nothing is configured under traffic, unless it is the only machine there is, or only forgets others.
    if (
      unit.kind === 'configure' &&
      row?.status === 'ready' &&
      !unit.id.endsWith('/without') &&
      unit.only === undefined &&
      own.replicas > 1
    )
      expect(carried.has(unit.machine)).toBe(false)
    if (unit.kind === 'leave' && serving.get(service)?.has(unit.machine) && inTraffic > 0 && own.replicas > 1) {
      const before = rows.filter(({ name }) => serving.get(service)?.has(name)).length
      const least = Math.min(before, own.replicas) - own.update.maxUnavailable
      expect(inTraffic - 1).toBeGreaterThanOrEqual(Math.max(0, least))
    }
  }
}

/**
 * Whoever is about to use another is let in by then, and stays so until it is gone or uses it no more. `held`: pairs of machines, the first
 * of which uses the second and was let in before.
 */
function watchAdmission(
  state: State,
  made: Plan,
  unit: Unit,
  components: ResolvedComponent[],
  held: Set<string>,
): void {
  const leaving = new Set(made.units.filter(({ kind }) => kind === 'destroy').map(({ machine }) => machine))
  const comes = (unit.kind === 'configure' && unit.only === undefined) || unit.kind === 'migrate'
  const used = comes ? linksOf(components, unit.component) : []
  const rowOf = new Map(state.machines.map((machine) => [machine.name, machine]))
  for (const machine of state.machines) {
    const { name, component } = machine
    const wall = state.machines.find(({ id }) => id === machineIdOf(machine))
    // One whose last change was cut off is changed again, and whose own configure comes lets in who is there by then.
    if (!wall || leaving.has(wall.name) || !wall.firewallDigest) continue
    const admitted = state.admitted.get(wall.name) ?? new Set()
    // What stays on one machine passes no firewall.
    const isApart = (user: string) => machineIdOf(rowOf.get(user) ?? machine) !== wall.id
    if (used.includes(component) && !leaving.has(name) && isApart(unit.machine))
      expect([name, [...admitted]]).toEqual([name, expect.arrayContaining([unit.machine])])
    for (const user of state.machines.filter(({ status }) => status === 'ready').map((one) => one.name)) {
      if (!isApart(user)) continue
      const uses = state.uses.get(user)?.includes(component) && state.named.get(user)?.has(name)
      if (uses && held.has(`${user} ${name}`) && !admitted.has(user)) throw new Error(`${name} shuts out ${user}`)
      if (uses && admitted.has(user)) held.add(`${user} ${name}`)
      else held.delete(`${user} ${name}`)
    }
  }
}

function expectInForce(state: State, spec: ReleaseSpec): void {
  const { components, services } = expand(spec, toolkit, {})
  const counts = Object.fromEntries(components.map(({ name, replicas }) => [name, replicas]))
  const found: Record<string, number> = Object.fromEntries(components.map(({ name }) => [name, 0]))
  for (const { component: owner, status } of state.machines) {
    expect(status).toBe('ready')
    found[owner] = (found[owner] ?? 0) + 1
  }
  expect(found).toEqual(counts)
  for (const { name, placement } of components) {
    const rows = state.machines.filter((machine) => machine.component === name)
    const hosts = rows.map(({ hostId }) => state.machines.find(({ id }) => id === hostId))
    expect(hosts.map((host) => host?.component)).toEqual(rows.map(() => placement.with))
    if (placement.with !== undefined) expect(new Set(hosts).size).toBe(rows.length)
    expect(hosts.filter((host) => host?.hostId !== undefined)).toEqual([])
  }
  for (const { name, members } of services) {
    const machines = state.machines
      .filter((machine) => members.includes(machine.component))
      .map((machine) => machine.name)
    for (const node of state.machines.filter((machine) => machine.component === name))
      expect([...(state.traffic.get(node.name) ?? [])].sort()).toEqual(machines.sort())
  }
  const input = inputFor(spec, state)
  const walls = spec.blueprint.firewall
    ? components.flatMap(({ name, placement }) => {
        if (placement.with !== undefined) return []
        const own = state.machines.filter((machine) => machine.component === name)
        return own.map((machine) => [machine.name, mayCome(state, input, name)] as const)
      })
    : []
  expect(state.admitted).toEqual(new Map(walls))
  const again = planOf(input)
  expect(again.units).toEqual([])
  expect(again.changes.filter(({ action }) => action !== 'keep')).toEqual([])
}

const runs = { numRuns: 300 }

describe('for any two releases, in any order that the needs allow', () => {
  test('a plan leads from one to the other without hurting anybody, and then there is nothing to do', () => {
    fc.assert(
      fc.property(releases, releases, choosing, (from, to, pick) => {
        const state = nothing()
        run(state, inputFor(from, state), planOf(inputFor(from, state)), pick)
        expectInForce(state, from)
        const input = forwardInput(state, from, to)
        run(state, input, planOf(input), pick)
        expectInForce(state, to)
      }),
      runs,
    )
  }, 120_000)

  test('one that is cut off anywhere is undone, or gone on with', () => {
    fc.assert(
      fc.property(releases, releases, choosing, fc.nat(60), fc.boolean(), (from, to, pick, most, undo) => {
        const state = nothing()
        run(state, inputFor(from, state), planOf(inputFor(from, state)), pick)
        const forward = forwardInput(state, from, to)
        if (run(state, forward, planOf(forward), pick, most)) return
        const next = undo ? backInput(state, from, to) : forwardInput(state, from, to)
        run(state, next, planOf(next), pick)
        expectInForce(state, undo ? from : to)
      }),
      runs,
    )
  }, 120_000)

  test('an undo that is cut off too is undone', () => {
    fc.assert(
      fc.property(releases, releases, choosing, fc.nat(40), fc.nat(20), (from, to, pick, first, second) => {
        const state = nothing()
        run(state, inputFor(from, state), planOf(inputFor(from, state)), pick)
        const forward = forwardInput(state, from, to)
        run(state, forward, planOf(forward), pick, first)
        for (const most of [second, Infinity]) {
          const back = backInput(state, from, to)
          run(state, back, planOf(back), pick, most)
        }
        expectInForce(state, from)
      }),
      runs,
    )
  }, 120_000)

  test('a destroy, or the undo of a first deploy, leaves nothing', () => {
    fc.assert(
      fc.property(releases, choosing, fc.nat(60), (spec, pick, most) => {
        const state = nothing()
        run(state, inputFor(spec, state), planOf(inputFor(spec, state)), pick, most)
        const input = inputFor(undefined, state, { kind: 'undo' })
        const made = planOf(input)
        for (const unit of ordered(made, pick)) apply(state, input, made, unit)
        expect(state.machines).toEqual([])
      }),
      runs,
    )
  })

  test('the same input gives the same plan, whatever the order of its machines', () => {
    fc.assert(
      fc.property(releases, releases, (from, to) => {
        const state = nothing()
        run(state, inputFor(from, state), planOf(inputFor(from, state)), () => 0)
        const turned = copyOf(state)
        turned.machines.reverse()
        const input = (of: State) => inputFor(to, of, { ...everything, current: { number: 1, spec: from } })
        expect(planOf(input(turned)).digest).toBe(planOf(input(state)).digest)
      }),
      runs,
    )
  })
})
