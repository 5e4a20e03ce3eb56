import type { CertificateStore } from '../model/certificate.ts'
import type { ReleaseSpec } from '../model/release.ts'
import type {
  ServedDeployment,
  ServiceValue,
  ToolkitRegistry,
  ToolkitValues,
  ValuesContext,
} from '../toolkit/contract.ts'

export interface ValueSource {
  toolkit: ToolkitRegistry
  deployment: ServedDeployment
  certificates: CertificateStore
  now: Date
}

/** A service of a release that makes values, with what its work needs. */
interface MakingService {
  values: ToolkitValues
  context: ValuesContext<unknown>
}

/** Services of a release that make what others refer to. */
export function makingServices({ toolkit, ...source }: ValueSource, { blueprint }: ReleaseSpec): MakingService[] {
  return blueprint.services.flatMap(({ name, kind, spec }) => {
    const values = toolkit[kind]?.values
    return values ? [{ values, context: { service: name, spec, ...source } }] : []
  })
}

/** Reference -> its version, of all that a release's services make. */
export async function valueVersions(source: ValueSource, release: ReleaseSpec): Promise<Record<string, string>> {
  return gather(source, release, ({ values, context }) => values.versions(context))
}

/** Reference -> its value. */
export async function valuesOf(source: ValueSource, release: ReleaseSpec): Promise<Record<string, ServiceValue>> {
  return gather(source, release, ({ values, context }) => values.read(context))
}

async function gather<T>(
  source: ValueSource,
  release: ReleaseSpec,
  ask: (service: MakingService) => Promise<Record<string, T>>,
): Promise<Record<string, T>> {
  const parts = makingServices(source, release).map(async (service) => {
    const found = Object.entries(await ask(service))
    return found.map(([name, value]) => [`${service.context.service}.${name}`, value] as const)
  })
  return Object.fromEntries((await Promise.all(parts)).flat())
}
