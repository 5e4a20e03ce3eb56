import type { ResolvedComponent, ResolvedService } from '../model/blueprint.ts'
import type { JsonObject } from '../model/json.ts'
import { addIssues } from './issues.ts'
import type { Names } from './names.ts'
import type { Path } from './path.ts'
import { type Problems, show } from './problems.ts'
import { salvage } from './salvage.ts'
import type { ToolkitSchemas, ToolkitSection } from './toolkit.ts'

/** One service as it stands in the blueprint. */
export interface ServiceEntry {
  name: string
  kind: string
  path: Path
  value: unknown
}

/** The entries of `toolkit:`: a service is one object, or a list of named ones. Kinds that are not known are problems and left out. */
export function serviceEntries(
  section: Record<string, unknown>,
  toolkit: ToolkitSchemas,
  names: Names,
  problems: Problems,
): ServiceEntry[] {
  return Object.entries(section).flatMap(([kind, value]): ServiceEntry[] => {
    const path = ['toolkit', kind]
    if (!Object.hasOwn(toolkit, kind)) {
      const allowed = Object.keys(toolkit)
      problems.add(path, `there is no toolkit service ${kind}`, { unknown: kind, allowed, at: 'key' })
      return []
    }
    if (!Array.isArray(value)) {
      names.take(kind, path, kind)
      return [{ kind, name: kind, path, value }]
    }
    if (value.length === 0) problems.add(path, 'an empty list: leave it out')
    const nameOf = toolkit[kind]?.nameOf
    return value.flatMap((item: unknown, i) => namedEntry({ kind, item, path: [...path, i], nameOf }, names, problems))
  })
}

interface ListItem {
  kind: string
  item: unknown
  path: Path
  nameOf: ToolkitSection['nameOf']
}

function namedEntry({ kind, item, path, nameOf }: ListItem, names: Names, problems: Problems): ServiceEntry[] {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    problems.add(path, 'must be a map', { found: show(item) })
    return []
  }
  const { name = nameOf?.(item as Record<string, unknown>), ...value } = item as Record<string, unknown>
  if (typeof name !== 'string') {
    problems.add(path, 'one of several has a `name` of its own', { found: show(name) })
    return []
  }
  names.take(name, [...path, 'name'], kind)
  return [{ kind, name, path, value }]
}

/** Checks the services' sections, also against the components and each other. */
export function resolveServices(
  entries: ServiceEntry[],
  toolkit: ToolkitSchemas,
  components: ResolvedComponent[],
  problems: Problems,
): ResolvedService[] {
  const read = entries.flatMap((entry) => {
    const section = toolkit[entry.kind]
    return section ? readService(entry, section, problems) : []
  })
  const neighbours = read.map(({ entry: { name, kind }, section, data }) => ({
    name,
    kind,
    spec: data,
    metrics: section.metrics?.offers(data as never) ?? {},
    ...(section.queries && { queries: section.queries }),
    ...(section.values && { values: section.values.outputs(data) }),
  }))
  for (const service of read) checkService(service, components, neighbours, problems)
  return read.map(({ entry: { name, kind }, data }) => ({ name, kind, spec: data }))
}

interface ReadService {
  entry: ServiceEntry
  section: ToolkitSection
  data: JsonObject
  /** Where a field of `data` stands in the section as it was written. */
  origin(keys: Path): Path
}

function readService(entry: ServiceEntry, section: ToolkitSection, problems: Problems): ReadService[] {
  const { path, value } = entry
  const { issues, data, origin } = salvage(section.schema, value)
  addIssues(problems, path, issues, value)
  return data === undefined ? [] : [{ entry, section, data: data as JsonObject, origin }]
}

function checkService(
  { entry: { path }, section, data, origin }: ReadService,
  components: ResolvedComponent[],
  neighbours: Parameters<ToolkitSection['validate']>[2],
  problems: Problems,
): void {
  for (const { path: inner, message, found, allowed } of section.validate(data as never, components, neighbours)) {
    const keys = inner === '' ? [] : inner.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key))
    problems.add([...path, ...origin(keys)], message, {
      ...(allowed ? { unknown: found ?? '', allowed } : found !== undefined && { found }),
    })
  }
}
