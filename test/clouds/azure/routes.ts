import { ArmError, type Json } from './arm-error.ts'
import { coresUsed } from './compute-types.ts'
import { authorize, type Grants } from './grants.ts'
import { images, region, skus } from './offers.ts'
import type { Cloud, PutBody } from './resource-type.ts'
import { answer, get, type Outcome, put, remove, retag, typeOf } from './resources.ts'

export interface Asked {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | string[] | undefined>
  body: unknown
}

/** Versions of what is asked beside the resource types. */
const otherVersions: Record<string, string[]> = {
  skus: ['2021-07-01'],
  images: ['2026-03-01'],
  usages: ['2026-03-01'],
  groups: ['2021-04-01', '2025-04-01'],
  permissions: ['2022-04-01'],
  operations: ['2025-05-01', '2026-03-01', '2021-04-01', '2025-04-01'],
}

/** Answers one request to the Resource Manager, as one account may. Throws ArmError. */
export function route(cloud: Cloud, grants: Grants, asked: Asked): Outcome {
  const parts = asked.path.split('/').filter((part) => part !== '')
  const [subscriptions, subscription = '', next = '', ...rest] = parts
  if (subscriptions !== 'subscriptions' || subscription !== cloud.subscription)
    throw new ArmError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`)
  if (/^resourcegroups$/i.test(next)) return groups(cloud, grants, asked, rest)
  if (next === 'providers') return subscriptionWide(cloud, grants, asked, rest)
  if (next === 'operationresults') {
    authorize(grants, 'Microsoft.Resources/subscriptions/operationresults/read', asked.path)
    const operation = cloud.world.operations.get(rest[0] ?? '')
    if (!operation) throw new ArmError(404, 'NotFound', asked.path)
    return operation.status === 'InProgress' ? { status: 202, operation, result: true } : { status: 200 }
  }
  throw new ArmError(404, 'NotFound', asked.path)
}

function groups(cloud: Cloud, grants: Grants, asked: Asked, [group, next = '', ...rest]: string[]): Outcome {
  const { world } = cloud
  const base = `/subscriptions/${cloud.subscription}/resourceGroups`
  const may = (verb: string) =>
    authorize(grants, `Microsoft.Resources/subscriptions/resourceGroups/${verb}`, `${base}/${group ?? ''}`)
  const shown = (one: { name: string; location: string; tags: Json; state: string }) => ({
    id: `${base}/${one.name}`,
    name: one.name,
    type: 'Microsoft.Resources/resourceGroups',
    location: one.location,
    tags: one.tags,
    properties: { provisioningState: one.state },
  })
  if (group === undefined) {
    version(asked, otherVersions.groups)
    may('read')
    const wanted = /^tagName eq '([^']+)' and tagValue eq '([^']+)'$/.exec(asked.query.get('$filter') ?? '')
    const all = [...world.groups.values()].filter(({ tags }) => !wanted || tags[wanted[1] ?? ''] === wanted[2])
    return { status: 200, body: { value: all.map(shown) } }
  }
  if (next === 'providers') return inGroup(cloud, grants, asked, group, rest)
  version(asked, otherVersions.groups)
  if (next === 'resources') {
    may('read')
    world.group(group)
    const inside = [...world.resources.values()].filter((one) => one.group.toLowerCase() === group.toLowerCase())
    const value = inside.map(({ id, name, type, location, tags }) => ({ id, name, type, location, tags }))
    return { status: 200, body: { value } }
  }
  if (asked.method === 'GET') {
    may('read')
    return { status: 200, body: shown(world.group(group)) }
  }
  if (asked.method === 'PUT') {
    may('write')
    const { location = '', tags = {} } = asked.body as PutBody
    const known = world.groups.get(group.toLowerCase())
    if (known && known.location !== location)
      throw new ArmError(409, 'InvalidResourceGroupLocation', `Invalid resource group location '${location}'.`)
    const made = { name: group, location, tags, state: 'Succeeded' as const }
    world.groups.set(group.toLowerCase(), made)
    return { status: known ? 200 : 201, body: shown(made) }
  }
  if (asked.method === 'PATCH') {
    may('write')
    const found = world.group(group)
    found.tags = (asked.body as PutBody).tags ?? found.tags
    return { status: 200, body: shown(found) }
  }
  if (asked.method === 'DELETE') {
    may('delete')
    const found = world.group(group)
    found.state = 'Deleting'
    const operation = world.start(async () => {
      await new Promise((resolve) => setTimeout(resolve, cloud.operationTime))
      const inside = [...world.resources.values()].filter((one) => one.group.toLowerCase() === group.toLowerCase())
      for (const one of inside) world.remove(one.id)
      world.groups.delete(group.toLowerCase())
      return undefined
    })
    return { status: 202, operation, result: true }
  }
  throw new ArmError(405, 'MethodNotAllowed', asked.method)
}

function inGroup(cloud: Cloud, grants: Grants, asked: Asked, group: string, path: string[]): Outcome {
  const [namespace = '', typeName = '', name, action] = path
  if (namespace === 'Microsoft.Authorization' && typeName === 'permissions') return permissions(asked, grants)
  const kind = typeOf(`${namespace}/${typeName}`)
  version(asked, kind.apiVersions)
  const base = `/subscriptions/${cloud.subscription}/resourceGroups/${group}`
  const may = (verb: string) => authorize(grants, `${kind.type}/${verb}`, base)
  if (name === undefined) {
    may('read')
    cloud.world.group(group)
    return page(
      cloud,
      asked,
      cloud.world.list(kind.type, group).map((one) => answer(cloud, kind, one, null)),
    )
  }
  const id = `${base}/providers/${kind.type}/${name}`
  if (action === 'retrieveBootDiagnosticsData' && asked.method === 'POST') {
    may('retrieveBootDiagnosticsData/action')
    get(cloud, kind, id, null)
    return { status: 200, body: { serialConsoleLogBlobUri: `${cloud.origin}/console?of=${encodeURIComponent(id)}` } }
  }
  switch (asked.method) {
    case 'GET':
      may('read')
      cloud.world.group(group)
      return get(cloud, kind, id, asked.query.get('$expand'))
    case 'PUT':
      may('write')
      return put(cloud, kind, { group, name, id }, asked.body as PutBody, grants, header(asked, 'if-none-match'))
    case 'PATCH':
      may('write')
      return retag(cloud, kind, id, asked.body as PutBody)
    case 'DELETE':
      may('delete')
      return remove(cloud, kind, id)
    default:
      throw new ArmError(405, 'MethodNotAllowed', asked.method)
  }
}

function subscriptionWide(cloud: Cloud, grants: Grants, asked: Asked, path: string[]): Outcome {
  const [namespace = '', typeName, ...rest] = path
  const scope = `/subscriptions/${cloud.subscription}`
  if (typeName === undefined) {
    authorize(grants, 'Microsoft.Resources/subscriptions/resourceGroups/read', scope)
    return { status: 200, body: { id: `${scope}/providers/${namespace}`, namespace, registrationState: 'Registered' } }
  }
  if (namespace === 'Microsoft.Authorization' && typeName === 'permissions') return permissions(asked, grants)
  if (typeName === 'locations') return location(cloud, grants, asked, namespace, rest)
  if (typeName === 'skus') {
    version(asked, otherVersions.skus)
    authorize(grants, 'Microsoft.Compute/skus/read', scope)
    return { status: 200, body: { value: skus() } }
  }
  const kind = typeOf(`${namespace}/${typeName}`)
  version(asked, kind.apiVersions)
  authorize(grants, `${kind.type}/read`, scope)
  const expand = asked.query.get('statusOnly') === 'true' ? 'instanceView' : null
  return page(
    cloud,
    asked,
    cloud.world.list(kind.type).map((one) => answer(cloud, kind, one, expand)),
  )
}

function location(
  cloud: Cloud,
  grants: Grants,
  asked: Asked,
  namespace: string,
  [where, what, ...rest]: string[],
): Outcome {
  const scope = `/subscriptions/${cloud.subscription}`
  if (what === 'operations') {
    version(asked, otherVersions.operations)
    authorize(grants, `${namespace}/locations/operations/read`, scope)
    const operation = cloud.world.operations.get(rest[0] ?? '')
    if (!operation) throw new ArmError(404, 'NotFound', `The operation ${rest[0]} was not found.`)
    const { id, status, error } = operation
    return { status: 200, body: { name: id, status, ...(error && { error }) } }
  }
  if (where !== region)
    throw new ArmError(
      400,
      'NoRegisteredProviderFound',
      `No registered resource provider found for location '${where}'.`,
    )
  if (what === 'usages') {
    version(asked, otherVersions.usages)
    authorize(grants, 'Microsoft.Compute/locations/usages/read', scope)
    const name = { value: 'cores', localizedValue: 'Total Regional vCPUs' }
    return {
      status: 200,
      body: { value: [{ unit: 'Count', currentValue: coresUsed(cloud), limit: cloud.cores, name }] },
    }
  }
  if (what === 'publishers') {
    version(asked, otherVersions.images)
    authorize(grants, 'Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read', scope)
    const [publisher, , , , offer, , sku] = rest
    const versions = images[`${publisher}/${offer}/${sku}`.toLowerCase()]
    if (!versions) throw new ArmError(404, 'NotFound', `Artifact: VMImage was not found: ${publisher} ${offer} ${sku}.`)
    const sorted = asked.query.get('$orderby') === 'name desc' ? [...versions].reverse() : versions
    const shown = sorted.slice(0, Number(asked.query.get('$top') ?? sorted.length))
    return { status: 200, body: shown.map((name) => ({ id: `${asked.path}/${name}`, name, location: region })) }
  }
  throw new ArmError(404, 'NotFound', asked.path)
}

/** One page of a list, with where the next one is. */
function page({ origin, pageSize }: Cloud, { path, query }: Asked, all: unknown[]): Outcome {
  const from = Number(query.get('$skiptoken') ?? 0)
  const next = new URLSearchParams([...query].filter(([key]) => key !== '$skiptoken'))
  next.set('$skiptoken', String(from + pageSize))
  const more = from + pageSize < all.length && { nextLink: `${origin}${path}?${next}` }
  return { status: 200, body: { value: all.slice(from, from + pageSize), ...more } }
}

function permissions(asked: Asked, grants: Grants): Outcome {
  version(asked, otherVersions.permissions)
  return { status: 200, body: { value: [{ ...grants, dataActions: [], notDataActions: [] }] } }
}

function version({ query }: Asked, known: string[] = []): void {
  const asked = query.get('api-version')
  if (asked === null)
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required.',
    )
  if (known.includes(asked)) return
  throw new ArmError(
    400,
    'InvalidApiVersionParameter',
    `The api-version '${asked}' is invalid. The supported versions are '${known.join(',')}'.`,
  )
}

function header({ headers }: Asked, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}
