import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import { floatingAddress, type MachineRecord, preferredAddress } from '../model/machine.ts'
import type { MachineFact } from '../model/recipe.ts'
import type { Recipe } from '../recipes/recipe.ts'
import { isTold, type World } from './digests.ts'

/** Where components are and how they are reached, as far as that is known now. Throws `internal` naming what is not. Pure. */
export function createWhereabouts({ world, recipes }: { world: World; recipes: Map<string, Recipe> }) {
  function component(name: string): ResolvedComponent {
    const found = world.components.find((candidate) => candidate.name === name)
    return found ?? missing(name)
  }

  function recipeOf({ name, recipe }: ResolvedComponent): Recipe {
    return recipes.get(recipe) ?? missing(`${name}: recipe ${recipe}`)
  }

  function rowsOf(name: string): MachineRecord[] {
    return world.machines
      .filter((machine) => machine.component === name && isTold(machine) && machine.addresses.length > 0)
      .sort((a, b) => a.ordinal - b.ordinal)
  }

  function factOf(name: string, machine: MachineRecord): MachineFact {
    const port = portOf(component(name))
    return { name: machine.name, address: addressOf(machine), ...(port !== undefined && { port }) }
  }

  function machinesOf(name: string): MachineFact[] {
    return rowsOf(name).map((machine) => factOf(name, machine))
  }

  /** The address that the component's machines share. */
  function floatingOf(name: string): string | undefined {
    if (component(name).machine.floatingAddress === undefined) return undefined
    const own = world.machines.filter((machine) => machine.component === name)
    return own.flatMap(({ addresses }) => floatingAddress(addresses) ?? [])[0]?.address
  }

  function portOf(of: ResolvedComponent): number | undefined {
    return of.port ?? recipes.get(of.recipe)?.signature.defaultPort
  }

  /** Outputs that every component has, as far as they are known. */
  function basicOutputs(name: string): Record<string, unknown> {
    const of = component(name)
    const machines = machinesOf(name)
    const port = portOf(of)
    const floating = floatingOf(name)
    const host = floating ?? machines[0]?.address
    const usual = of.service || recipeOf(of).signature.kind === 'application' ? 'http' : 'tcp'
    const scheme = of.scheme ?? usual
    const authority =
      host === undefined ? undefined : `${hostText(host)}${port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`}`
    return {
      machines,
      addresses: floating === undefined ? machines.map(({ address }) => address) : [floating],
      ...(port !== undefined && { port }),
      ...(host !== undefined && { host }),
      ...(authority !== undefined && port !== undefined && { url: `${scheme}://${authority}` }),
    }
  }

  return { component, recipeOf, rowsOf, factOf, machinesOf, portOf, basicOutputs }
}

/** The address that others use. */
export function addressOf(machine: MachineRecord): string {
  return preferredAddress(machine.addresses)?.address ?? missing(`address of ${machine.name}`)
}

/** An address as it stands in a URL. */
function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Throws `internal`. */
export function missing(fact: string): never {
  throw new KitbagError('internal', `the fact "${fact}" is not known here`)
}
