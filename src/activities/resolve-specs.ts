import { retry } from '../lib/retry.ts'
import type { ResolvedComponent } from '../model/blueprint.ts'
import { KitbagError } from '../model/errors.ts'
import { machineName } from '../model/machine.ts'
import type { ResolveSpecs } from '../planner/plan-input.ts'
import type { Capabilities, Provider } from '../providers/contract.ts'
import { retryPauses, type Timings } from './deps.ts'

interface Options {
  clouds: {
    provider(cloudId: string): Promise<Provider>
    capabilities(cloudId: string): Promise<Capabilities>
  }
  timings?: Partial<Timings>
}

/** Of each call to a cloud, when its failures are retryable. */
const attempts = 6

/** Asks the clouds. Throws `not-supported` too for what a component's cloud does not have. */
export function createResolveSpecs({ clouds, timings }: Options): ResolveSpecs {
  const delay = retryPauses(timings)
  return async (wanted) => {
    const specs = wanted.map(async ({ component, ordinal, cloudId, staticAddress }) => {
      if (component.machine.floatingAddress !== undefined && !(await clouds.capabilities(cloudId)).floatingAddress)
        throw noFloatingAddress(component)
      const provider = await clouds.provider(cloudId)
      const has = provider.staticAddresses !== undefined
      if (component.machine.staticAddress && !has) throw noStaticAddress(component)
      const { region, zones, labels = {} } = component.placement
      const asked = Object.keys(labels).length > 0 && { labels }
      if (asked && !(await clouds.capabilities(cloudId)).labels) throw noLabels(component)
      const place = {
        ordinal,
        ...(region !== undefined && { region }),
        ...(zones !== undefined && { zones }),
        ...asked,
      }
      const spec = await retry(() => provider.resolve(component.machine, place), { attempts, delay })
      const named = { ...spec, ...(has && staticAddress !== undefined && { staticAddress }) }
      return [machineName(component.name, ordinal), named] as const
    })
    return new Map(await Promise.all(specs))
  }
}

function noFloatingAddress({ name }: ResolvedComponent): KitbagError {
  return new KitbagError(
    'not-supported',
    `${name}: its cloud has no floating addresses, and floatingAddress asks for one`,
    {
      fix: `Leave it out, and put all of its machines into DNS, with a health check: value: "\${${name}.addresses}".`,
    },
  )
}

function noLabels({ name }: ResolvedComponent): KitbagError {
  return new KitbagError(
    'not-supported',
    `${name}: machines of its cloud have no labels, and placement.labels asks for some`,
    {
      fix: 'Leave them out, or place it on a cloud of provider ssh, whose settings list labels.',
    },
  )
}

function noStaticAddress({ name }: ResolvedComponent): KitbagError {
  return new KitbagError(
    'not-supported',
    `${name}: its cloud has no static addresses, and staticAddress asks for one`,
    {
      fix: 'Leave it out, or place it at a cloud whose machines have public addresses that outlive them.',
    },
  )
}
