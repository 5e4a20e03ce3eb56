import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import { type MachineRecord, preferredAddress } from '../model/machine.ts'
import type { MachineFact, RecipeContext } from '../model/recipe.ts'
import { referencesIn, type Value } from '../model/value.ts'
import { recipeOutputs } from '../recipes/outputs.ts'
import { completeParameters } from '../recipes/parameters.ts'
import type { Recipe } from '../recipes/recipe.ts'
import type { World } from './digests.ts'
import { consumersOf } from './links.ts'
import { envText, resolveValue } from './resolve-value.ts'

export interface FactSource {
  installation: string
  deployment: string
  releaseNumber: number
  world: World
  /** By the name that components use. */
  recipes: Map<string, Recipe>
  /** Values of secrets in the release's versions: given ones by name (`MAIL_KEY`), generated ones as `component.parameter`. */
  secrets: Map<string, string>
}

export interface Facts {
  /** What the machine's recipe is rendered from. `later: false` leaves out what an install phase may not see. */
  context(machine: MachineRecord, options?: { later: boolean }): { context: RecipeContext; secrets: string[] }
  /** Outputs of a component, for `show`: secrets are in it in clear. */
  outputs(component: string): Record<string, unknown>
}

/** Facts of a deployment as it is now. Pure; every lookup is lazy, and throws `internal` naming the fact that is missing. */
export function createFacts(source: FactSource): Facts {
  const { world } = source
  const busy = new Set<string>()

  function component(name: string): ResolvedComponent {
    const found = world.components.find((candidate) => candidate.name === name)
    return found ?? missing(name)
  }

  function recipeOf({ name, recipe }: ResolvedComponent): Recipe {
    return source.recipes.get(recipe) ?? missing(`${name}: recipe ${recipe}`)
  }

  function machinesOf(name: string): MachineFact[] {
    const port = portOf(component(name))
    return world.machines
      .filter(
        (machine) => machine.component === name && machine.status !== 'destroying' && machine.addresses.length > 0,
      )
      .sort((a, b) => a.ordinal - b.ordinal)
      .map((machine) => ({ name: machine.name, address: addressOf(machine), ...(port !== undefined && { port }) }))
  }

  function portOf(of: ResolvedComponent): number | undefined {
    return of.port ?? source.recipes.get(of.recipe)?.signature.defaultPort
  }

  function secret(name: string): string {
    return source.secrets.get(name) ?? missing(`secret ${name}`)
  }

  function parametersOf(of: ResolvedComponent, lookup = lookupFor()): Record<string, unknown> {
    const settings = Object.fromEntries(
      Object.entries(of.settings).map(([name, value]) => [name, resolveValue(value, lookup)]),
    )
    const { parameters, generated } = completeParameters(recipeOf(of).signature, settings)
    for (const name of generated) parameters[name] = secret(`${of.name}.${name}`)
    return parameters
  }

  function outputsOf(name: string): Record<string, unknown> {
    if (busy.has(name)) throw new KitbagError('internal', `outputs of ${name} refer to themselves`)
    busy.add(name)
    try {
      const of = component(name)
      const machines = machinesOf(name)
      const first = machines[0]
      const row = world.machines.find((machine) => machine.name === first?.name)
      const port = portOf(of)
      const basic: Record<string, unknown> = { machines, addresses: machines.map(({ address }) => address) }
      if (port !== undefined) basic.port = port
      if (!first || !row) return basic
      basic.host = first.address
      if (port !== undefined)
        basic.url = `${of.service || recipeOf(of).signature.kind === 'application' ? 'http' : 'tcp'}://${hostText(first.address)}${port === 80 ? '' : `:${port}`}`
      return { ...basic, ...recipeOutputs(recipeOf(of), bare(of, row, parametersOf(of))) }
    } finally {
      busy.delete(name)
    }
  }

  function lookupFor(): (reference: string) => unknown {
    return (reference) => {
      const [owner = '', ...rest] = reference.split('.')
      const name = rest.join('.')
      if (owner === 'secrets') return secret(name)
      if (owner === 'overrides') return world.overrides[name] ?? {}
      // Without the outputs of the recipe, so that components may name each other's machines.
      if (name === 'machines') return machinesOf(owner)
      if (name === 'addresses') return machinesOf(owner).map(({ address }) => address)
      const value = outputsOf(owner)[name]
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
    }
  }

  function context(machine: MachineRecord, { later } = { later: true }) {
    const of = component(machine.component)
    if (!later) {
      // What refers to others does not exist yet: an install phase sees such a setting as not given.
      const known = Object.entries(of.settings).filter(([, value]) => referencesIn(value).length === 0)
      const parameters = parametersOf({ ...of, settings: Object.fromEntries(known) })
      return { context: bare(of, machine, parameters), secrets: [...source.secrets.values()] }
    }
    const lookup = lookupFor()
    const parameters = parametersOf(of, lookup)
    const env = Object.fromEntries(
      Object.entries(of.env).map(([name, value]: [string, Value]) => [
        name,
        envText(of.name, name, resolveValue(value, lookup)),
      ]),
    )
    const consumers = consumersOf(world.components, of.name).map((name) => ({ name, machines: machinesOf(name) }))
    const whole = { ...bare(of, machine, parameters), env, consumers, peers: machinesOf(of.name) }
    return { context: whole, secrets: [...source.secrets.values()] }
  }

  return { context, outputs: outputsOf }
}

function addressOf(machine: MachineRecord): string {
  return preferredAddress(machine.addresses)?.address ?? missing(`address of ${machine.name}`)
}

/** An address as it stands in a URL. */
function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

function missing(fact: string): never {
  throw new KitbagError('internal', `the fact "${fact}" is not known here`)
}

/** Names and versions of the secrets that a release uses, as the store keeps them. */
export function secretsOf(world: Pick<World, 'release'>): { name: string; version: number }[] {
  return Object.entries(world.release.secretVersions).map(([name, version]) => ({ name, version }))
}
