import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResolvedComponent } from '../../../src/model/blueprint.ts'
import { KitbagError } from '../../../src/model/errors.ts'
import type { JsonObject } from '../../../src/model/json.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { referenceOwner, referencesIn } from '../../../src/model/value.ts'
import { shippedRecipes } from '../../../src/recipes/shipped.ts'
import type {
  NeighbourService,
  Overrides,
  ReadContext,
  ToolkitMember,
  ToolkitService,
} from '../../../src/toolkit/contract.ts'
import { deadReach } from './dead-reach.ts'

/** What a service's test gives the suite. */
export interface ToolkitServiceUnderTest {
  service: ToolkitService
  /** Sections of blueprints that it takes; the first is the smallest. */
  sections: unknown[]
  /** Sections that its schema or its `validate` refuses, by what the message has to name. */
  refused: Record<string, unknown>
  /** The application that the sections speak of. */
  components: ResolvedComponent[]
  /** The other services that they speak of. */
  services?: NeighbourService[]
  /** For each change: parameters and body that it takes, what was stored before, and parameters that name what is not there. */
  changes: Record<string, ChangeExample>
  /** Called once; absent: what runs is tested elsewhere. */
  start?(): Promise<RunningService>
}

export interface ChangeExample {
  params: Record<string, string>
  body: JsonObject
  overrides?: Overrides
  /** The machine that it is about. */
  member?: ToolkitMember
  /** Absent: its path names nothing. */
  unknown?: Record<string, string>
}

/** A service that runs as the first section says. */
export interface RunningService {
  context: ReadContext<unknown>
  node: MachineAccess
  /** The recipe's, resolved. */
  parameters: Record<string, unknown>
  /** Runs the node's host program, without the notifications given. */
  runProgram(suppress: string[]): Promise<unknown>
  /** A machine that is healthy and in the service's traffic. */
  member: ToolkitMember
  close(): Promise<void>
}

/** What every toolkit service must do, whatever it is. */
export function testToolkitService(name: string, under: ToolkitServiceUnderTest): void {
  const { service, sections, components, services = [] } = under
  const specOf = (section: unknown) => service.schema.parse(section)
  const planOf = (section: unknown) => service.plan({ name: service.kind, spec: specOf(section), components })

  describe(`${name}: toolkit service conformance`, () => {
    describe('sections', () => {
      test.for(sections.map((section, i) => [i, section] as const))('section %i is taken', ([, section]) => {
        expect(service.validate(specOf(section), components, services)).toEqual([])
      })

      test('the same section is the same specification, whole, and survives being stored', () => {
        for (const section of sections) {
          const spec = specOf(frozen(section))
          expect(specOf(section)).toEqual(spec)
          expect(JSON.parse(JSON.stringify(spec))).toStrictEqual(spec)
        }
      })

      test('an unknown field is refused, and the known ones are named', () => {
        const result = service.schema.safeParse({ ...(sections[0] as object), nosuchfield: 1 })
        expect(result.error?.issues.map(({ message }) => message).join()).toMatch(/known: \w+/)
      })

      test.for(Object.entries(under.refused))('refused, and the message names it: %s', ([named, section]) => {
        const result = service.schema.safeParse(section)
        const problems = result.success
          ? service.validate(result.data, components, services).map(({ path, message }) => `${path} ${message}`)
          : result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
        expect(problems.join('\n')).toContain(named)
      })
    })

    describe('plan', () => {
      test('is pure: it changes nothing that it is given, and gives the same again', () => {
        for (const section of sections) {
          const given = frozen({ name: service.kind, spec: specOf(section), components })
          expect(JSON.stringify(service.plan(given))).toBe(JSON.stringify(service.plan(given)))
        }
      })

      test('its machines are its own, by recipes that are shipped and take their settings', async () => {
        const recipes = await shippedRecipes()
        for (const component of sections.flatMap((section) => planOf(section).components)) {
          expect(component.service).toBe(service.kind)
          expect(component.name.startsWith(service.kind)).toBe(true)
          const declared = recipes.get(component.recipe)?.signature.parameters.properties as JsonObject
          expect(Object.keys(declared)).toEqual(expect.arrayContaining(Object.keys(component.settings)))
        }
      })

      test('its members are components of the application, and it refers to nothing that is not there', () => {
        const names = components.map((component) => component.name)
        for (const plan of sections.map(planOf)) {
          expect(names).toEqual(expect.arrayContaining(plan.members))
          const owners = plan.components.flatMap(({ settings }) => referencesIn(settings)).map(referenceOwner)
          const others = services.map((other) => other.name)
          const own = plan.components.map((component) => component.name)
          expect([...names, ...others, 'overrides', 'secrets', ...own]).toEqual(expect.arrayContaining(owners))
        }
      })
    })

    describe('routes', () => {
      test('each reads or changes, under a name and a path of its own', () => {
        const { routes } = service
        expect(routes.length).toBeGreaterThan(0)
        expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
        expect(new Set(routes.map(({ method, path }) => `${method} ${path}`)).size).toBe(routes.length)
        for (const route of routes) {
          expect(route.path).toMatch(/^(\/([a-z][a-z0-9-]*|\{[a-z]\w*\}))+$/)
          expect(route.summary).toMatch(/^[A-Z].*[^.]$/)
          expect(route.read !== undefined).toBe(route.method === 'get')
          const does = [route.read, route.change, route.act, route.call].filter((one) => one !== undefined)
          expect(does).toHaveLength(1)
          expect(route.body !== undefined && route.method === 'get').toBe(false)
        }
      })

      test('its commands are words of their own, and what they fill in is a body', () => {
        expect(service.command).toMatch(/^[a-z][a-z-]*$/)
        expect(service.path).toMatch(/^[a-z][a-z-]*$/)
        const commands = service.routes.flatMap((route) => (route.cli ?? []).map((cli) => ({ route, cli })))
        expect(new Set(commands.map(({ cli }) => cli.name)).size).toBe(commands.length)
        for (const { route, cli } of commands) if (cli.fixed) expect(route.body?.parse(cli.fixed)).toEqual(cli.fixed)
      })

      const changes = service.routes.flatMap(({ id, change }) => (change ? [[id, change] as const] : []))
      test.for(changes)('change %s is pure, and refuses what is not there', ([id, change]) => {
        const example = under.changes[id]
        if (!example) throw new Error(`the test of ${name} has no example of the change ${id}`)
        const input = frozen({ spec: specOf(sections[0]), overrides: {}, components, ...example })
        expect(change(input)).toEqual(change(input))
        expect(Object.keys(change(input)).length).toBeGreaterThan(0)
        const { unknown } = example
        if (unknown) expect(() => change({ ...input, params: unknown })).toThrow(KitbagError)
        const overrides = Object.fromEntries(Object.entries(change(input)).map(([key, value]) => [key, value ?? {}]))
        const { member } = example
        if (!member) return
        expect(service.overridesOf?.(member, input.spec, frozen(overrides))).toEqual(Object.keys(overrides))
        expect(service.overridesOf?.({ ...member, machine: 'never-was-1' }, input.spec, overrides)).toEqual([])
      })
    })

    if (under.start)
      describe('while it runs', () => {
        let running: RunningService
        const leaving = (drain: number) => ({ overrides: {}, drain, going: false })
        const options = () => ({ overrides: {}, timeout: 60_000, going: new Set<string>() })

        beforeAll(async () => {
          running = (await under.start?.()) as RunningService
        })

        afterAll(async () => {
          await running?.close()
        })

        const reads = service.routes.flatMap(({ id, read, response }) => (read ? [{ id, read, response }] : []))
        test.for(reads)('$id answers as its schema says', async ({ read, response }) => {
          const answer = await read(running.context, {}, {})
          expect(response.parse(answer)).toEqual(JSON.parse(JSON.stringify(answer)))
        })

        test('configuring what is so already changes nothing, however often', async () => {
          const { context, node, parameters, runProgram } = running
          for (let i = 0; i < 3; i++) {
            const suppress = await service.control.beforeConfigure(context, node, frozen(parameters))
            expect(suppress.every((text) => /^(reload|restart):\S+$/.test(text))).toBe(true)
            await runProgram(suppress)
            await service.control.afterConfigure(context, node, frozen(parameters))
          }
          expect((await service.control.drift?.(context, node, frozen(parameters))) ?? []).toEqual([])
        })

        test('leaving and joining can be repeated, in any number', async () => {
          const { context, member } = running
          const { leave, join } = service.control
          for (let i = 0; i < 2; i++) await leave(context, member, leaving(1000))
          await Promise.all([1, 2, 3].map(() => join(context, member, options())))
          await join(context, member, options())
        })

        test('a machine that it does not know can leave', async () => {
          const { context, member } = running
          await service.control.leave(context, { ...member, machine: 'never-was-1' }, leaving(0))
        })

        test('without machines there is nothing to wait for', async () => {
          const context = { ...running.context, machines: [] }
          await service.control.leave(context, running.member, leaving(0))
          await service.control.join(context, running.member, options())
        })

        test('a cancelled wait ends at once, with the reason', async () => {
          const { context, member } = running
          const signal = AbortSignal.abort(new KitbagError('cancelled', 'the test says so'))
          const attempt = service.control.join({ ...context, signal }, { ...member, machine: 'never-was-1' }, options())
          await expect(attempt).rejects.toMatchObject({ code: 'cancelled' })
        })

        test('machines that do not answer are errors that name them, as their transport says', async () => {
          const { node, member, parameters } = running
          const context = { ...running.context, reach: deadReach }
          const { leave, join, beforeConfigure, afterConfigure, drift } = service.control
          const attempts = [
            leave(context, member, leaving(0)),
            join(context, member, options()),
            beforeConfigure(context, node, parameters),
            afterConfigure(context, node, parameters),
            ...(drift ? [drift(context, node, parameters)] : []),
          ]
          for (const attempt of await Promise.allSettled(attempts)) {
            expect(attempt).toMatchObject({ status: 'rejected', reason: { name: 'KitbagError', machine: node.name } })
          }
        })
      })
  })
}

/** The same value, which nobody can change. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}
