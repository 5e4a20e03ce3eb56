import type { ComponentExtra, ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { MachineRecord } from '../model/machine.ts'
import type { MachineFact, RecipeContext, RecipeSignature, ServerCredentials } from '../model/recipe.ts'
import { referencesIn, type Value } from '../model/value.ts'
import { recipeOutputs } from '../recipes/outputs.ts'
import { completeParameters, misfits } from '../recipes/parameters.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { ServiceValue } from '../toolkit/contract.ts'
import type { World } from './digests.ts'
import { extrasOf } from './extras.ts'
import { firewallName, firewallParameters } from './firewall.ts'
import { consumersOf } from './links.ts'
import { envText, resolveValue } from './resolve-value.ts'
import { secretForms, secretLines } from './secret-forms.ts'
import { isElsewhere } from './tls.ts'
import { createWhereabouts, missing, type View } from './whereabouts.ts'

export interface FactSource {
  installation: string
  deployment: string
  releaseNumber: number
  world: World
  /** By the name that components use. */
  recipes: Map<string, Recipe>
  /** Values of secrets in the release's versions: given ones by name (`MAIL_KEY`), generated ones as `component.parameter`. */
  secrets: Map<string, string>
  /** By reference (`certificates.web.pem`): what services make themselves. Absent: there is none. */
  values?: Record<string, ServiceValue>
  /** Id of the cloud that addresses are for; absent: each is as at its machine's own. */
  from?: string
  /** The certificate of the deployment's own authority, in PEM; absent: nothing of the deployment needs it. */
  authority?: string
  /** By machine id, of those whose recipes speak TLS, as far as anything is made for them. */
  credentials?: Record<string, ServerCredentials>
}

interface PartFacts {
  context: RecipeContext
  secrets: string[]
}

export interface Facts {
  /** What the machine's recipe is rendered from. `later: false` leaves out what an install phase may not see. */
  context(machine: MachineRecord, options?: { later: boolean }): PartFacts
  /** The same for what toolkit services put onto the machine, in order. */
  extras(machine: MachineRecord, options?: { later: boolean }): { extra: ComponentExtra; context: RecipeContext }[]
  /** Outputs of a component, for `show`: secrets are in it in clear. */
  outputs(component: string): Record<string, unknown>
  /** Its machines as the world finds them. */
  outside(component: string): MachineFact[]
  /** Values that nothing may show. */
  hidden: string[]
  /** Its recipe's parameters: settings with references resolved, defaults and generated secrets. */
  parameters(component: string): Record<string, unknown>
}

/** Facts of a deployment as it is now. Pure; every lookup is lazy, and throws `internal` naming the fact that is missing. */
export function createFacts(source: FactSource): Facts {
  const { world } = source
  const { component, recipeOf, rowsOf, factOf, machinesOf, portOf, basicOutputs, addressOf } = createWhereabouts(source)
  const busy = new Set<string>()
  const values = source.values ?? {}
  const keys = Object.values(source.credentials ?? {}).map(({ key }) => ({ value: key, secret: true }))
  const hidden = [...secretForms([...source.secrets.values()]), ...secretLines([...Object.values(values), ...keys])]

  function secret(name: string): string {
    return source.secrets.get(name) ?? missing(`secret ${name}`)
  }

  function parametersOf(
    of: ResolvedComponent,
    lookup = lookupFor(viewOf(of)),
    given = of.settings,
  ): Record<string, unknown> {
    const settings = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, resolveValue(value, lookup)]),
    )
    const { parameters, generated } = completeParameters(recipeOf(of).signature, settings)
    for (const name of generated) {
      const key = `${of.name}.${name}`
      // One that the blueprint gives by a reference has no value of its own; here it is only not known yet. What a shipped recipe has
      // learned to ask for since, the release of an older Kitbag does not have.
      if (!Object.hasOwn(of.settings, name) && Object.hasOwn(world.release.secretVersions, key))
        parameters[name] = secret(key)
    }
    return parameters
  }

  function outputsOf(name: string, view: View): Record<string, unknown> {
    if (busy.has(name)) throw new KitbagError('internal', `outputs of ${name} refer to themselves`)
    busy.add(name)
    try {
      const of = component(name)
      const basic = basicOutputs(name, view)
      const first = world.machines.find((machine) => machine.name === machinesOf(name)[0]?.name)
      return first ? { ...basic, ...recipeOutputs(recipeOf(of), bare(of, first, parametersOf(of))) } : basic
    } finally {
      busy.delete(name)
    }
  }

  function lookupFor(view: View): (reference: string) => unknown {
    return (reference) => {
      const [owner = '', ...rest] = reference.split('.')
      const name = rest.join('.')
      if (owner === 'secrets') return secret(name)
      if (owner === 'overrides') return world.overrides[name] ?? {}
      if (Object.hasOwn(values, reference)) return values[reference]?.value
      if (!world.components.some((candidate) => candidate.name === owner)) return missing(reference)
      // What the recipe does not declare is known without its settings, so that components may name each other.
      const declared = recipeOf(component(owner)).signature.outputs.includes(name)
      const value = (declared ? outputsOf(owner, view) : basicOutputs(owner, view))[name]
      return value === undefined ? missing(reference) : value
    }
  }

  function bare(of: ResolvedComponent, machine: MachineRecord, parameters: Record<string, unknown>): RecipeContext {
    const { installation, deployment, releaseNumber } = source
    const port = portOf(of)
    const digest = of.source === undefined ? undefined : world.release.sources[of.source]
    return {
      installation,
      deployment,
      component: of.name,
      machine: {
        name: machine.name,
        address: addressOf(machine),
        user: machine.user,
        cpu: of.machine.cpu,
        memory: of.machine.memory,
      },
      parameters,
      ...(port !== undefined && { port }),
      env: {},
      ...(of.start !== undefined && { start: of.start }),
      ...(of.migrate !== undefined && { migrate: of.migrate }),
      release: { number: releaseNumber },
      ...(digest !== undefined && { source: { digest } }),
      consumers: [],
      peers: [],
      ...(source.authority !== undefined && { authority: source.authority }),
    }
  }

  function context(machine: MachineRecord, { later } = { later: true }) {
    return partContext(component(machine.component), machine, later)
  }

  function extras(machine: MachineRecord, { later } = { later: true }) {
    const of = component(machine.component)
    const parts = extrasOf(of).map((part) => partContext(part, machine, later).context)
    return (of.extras ?? []).flatMap((extra, i) => {
      const found = parts[i]
      if (!found) return []
      // Addresses are facts, as consumers are: they are in no setting.
      const parameters =
        later && extra.name === firewallName ? { ...firewallParameters(world, of, machine) } : found.parameters
      return [{ extra, context: { ...found, component: of.name, parameters } }]
    })
  }

  function partContext(of: ResolvedComponent, machine: MachineRecord, later: boolean): PartFacts {
    if (!later) {
      // What refers to others does not exist yet: an install phase sees such a setting as not given.
      const known = Object.entries(of.settings).filter(([, value]) => referencesIn(value).length === 0)
      const parameters = parametersOf(of, lookupFor('inside'), Object.fromEntries(known))
      return { context: bare(of, machine, parameters), secrets: hidden }
    }
    const lookup = lookupFor(viewOf(of))
    const parameters = parametersOf(of, lookup)
    checkResolved(of, recipeOf(of).signature, parameters)
    const env = Object.fromEntries(
      Object.entries(of.env).map(([name, value]: [string, Value]) => [
        name,
        envText(of.name, name, resolveValue(value, lookup)),
      ]),
    )
    const consumers = consumersOf(world.components, of.name).map((name) => ({
      name,
      machines: rowsOf(name).map((row) => ({ ...factOf(name, row), elsewhere: isElsewhere(machine, row) })),
    }))
    const peers = world.components.includes(of) ? machinesOf(of.name, viewOf(of)) : []
    const tls = source.credentials?.[machine.id]
    const whole = { ...bare(of, machine, parameters), env, consumers, peers, ...(tls && { tls }) }
    return { context: whole, secrets: hidden }
  }

  const shown = (name: string) => outputsOf(name, component(name).entrance ? 'outside' : 'inside')
  const outside = (name: string) => machinesOf(name, 'outside')
  return { context, extras, hidden, outputs: shown, outside, parameters: (name) => parametersOf(component(name)) }
}

/** Settings made from references could not be checked with the blueprint. Values are not told: they may be secrets. */
function checkResolved(of: ResolvedComponent, { parameters }: RecipeSignature, values: Record<string, unknown>): void {
  const schemas = (parameters.properties ?? {}) as Record<string, JsonObject>
  const problems = Object.entries(of.settings).flatMap(([name, setting]) => {
    const schema = schemas[name]
    if (!schema || referencesIn(setting).length === 0) return []
    const path = `components.${of.name}.settings.${name}`
    return misfits(schema, values[name] as Json).map((message) => ({
      path,
      message: message.replace(/, found .*$/s, ''),
    }))
  })
  const [first] = problems
  if (first)
    throw new KitbagError('invalid-blueprint', `${first.path}, with what it refers to put in: ${first.message}`, {
      problems,
    })
}

/** What a component writes into its files: name servers tell the world. */
function viewOf({ names }: ResolvedComponent): View {
  return names ? 'outside' : 'inside'
}

/** Names and versions of the secrets that a release uses, as the store keeps them. */
export function secretsOf(world: Pick<World, 'release'>): { name: string; version: number }[] {
  return Object.entries(world.release.secretVersions).map(([name, version]) => ({ name, version }))
}
