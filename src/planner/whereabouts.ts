import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import { floatingAddress, type MachineRecord, outsideAddresses } from '../model/machine.ts'
import type { MachineFact } from '../model/recipe.ts'
import type { Recipe } from '../recipes/recipe.ts'
import { addressFrom } from './addresses.ts'
import { isTold, type World } from './digests.ts'

/** Whether the machines of a deployment ask where others are, or the world does. */
export type View = 'inside' | 'outside'

interface Known {
  world: World
  recipes: Map<string, Recipe>
  /** Id of the cloud that addresses are for; absent: each is as at its machine's own. */
  from?: string
}

/** Where components are and how they are reached, as far as that is known now. Throws `internal` naming what is not. Pure. */
export function createWhereabouts({ world, recipes, from }: Known) {
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

  function outside(machines: MachineRecord[]): string[] {
    return outsideAddresses(machines, world.present ?? world.machines)
  }

  function factOf(name: string, machine: MachineRecord, view: View = 'inside'): MachineFact {
    const port = portOf(component(name))
    const open = view === 'outside' ? outside([machine]) : []
    return {
      name: machine.name,
      address: open[0] ?? addressOf(machine),
      ...(open.length > 1 && { addresses: open }),
      ...(port !== undefined && { port }),
    }
  }

  function machinesOf(name: string, view: View = 'inside'): MachineFact[] {
    return rowsOf(name).map((machine) => factOf(name, machine, view))
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
  function basicOutputs(name: string, view: View): Record<string, unknown> {
    const of = component(name)
    const machines = machinesOf(name, view)
    const port = portOf(of)
    const floating = floatingOf(name)
    const own = view === 'outside' ? outside(rowsOf(name)) : machines.map(({ address }) => address)
    const host = floating ?? own[0]
    const usual = of.service || recipeOf(of).signature.kind === 'application' ? 'http' : 'tcp'
    const scheme = of.scheme ?? usual
    const authority =
      host === undefined ? undefined : `${hostText(host)}${port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`}`
    return {
      machines,
      addresses: floating === undefined ? own : [floating],
      ...(port !== undefined && { port }),
      ...(host !== undefined && { host }),
      ...(authority !== undefined && port !== undefined && { url: `${scheme}://${authority}` }),
    }
  }

  /** The address that others use. */
  function addressOf(machine: MachineRecord): string {
    return addressFrom(machine, from)?.address ?? missing(`address of ${machine.name}`)
  }

  return { component, recipeOf, rowsOf, factOf, machinesOf, portOf, addressOf, basicOutputs }
}

/** An address as it stands in a URL. */
function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Throws `internal`. */
export function missing(fact: string): never {
  throw new KitbagError('internal', `the fact "${fact}" is not known here`)
}
