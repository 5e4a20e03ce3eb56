import { randomUUID } from 'node:crypto'
import { ArmError, type Json } from './arm-error.ts'
import { disks, virtualMachines } from './compute-types.ts'
import { authorize, type Grants } from './grants.ts'
import { networkInterfaces } from './network-interfaces.ts'
import {
  applicationSecurityGroups,
  networkSecurityGroups,
  publicIPAddresses,
  virtualNetworks,
} from './network-types.ts'
import { region } from './offers.ts'
import type { Cloud, PutBody, ResourceType } from './resource-type.ts'
import { misfits } from './sdk-models.ts'
import type { Operation, Resource } from './world.ts'

export const resourceTypes: ResourceType[] = [
  virtualNetworks,
  applicationSecurityGroups,
  networkSecurityGroups,
  publicIPAddresses,
  networkInterfaces,
  virtualMachines,
  disks,
]

export interface Outcome {
  status: number
  body?: unknown
  operation?: Operation
  /** Followed by asking for its result, not for its state. */
  result?: boolean
}

export function typeOf(type: string): ResourceType {
  const found = resourceTypes.find((one) => one.type.toLowerCase() === type.toLowerCase())
  if (found) return found
  throw new ArmError(404, 'InvalidResourceType', `The resource type ${type} could not be found.`)
}

/** Creates or updates; what is put replaces what was there. */
export function put(
  cloud: Cloud,
  kind: ResourceType,
  place: { group: string; name: string; id: string },
  body: PutBody,
  grants: Grants,
  ifNoneMatch: string | undefined,
): Outcome {
  const { world } = cloud
  const { group, name, id } = place
  if (world.group(group).state === 'Deleting')
    throw new ArmError(409, 'ResourceGroupBeingDeleted', `The resource group '${group}' is in deprovisioning state.`)
  const problems = kind.model ? misfits(kind.model, body, 'request') : []
  if (problems.length > 0)
    throw new ArmError(400, 'InvalidRequestContent', `Could not find or use members: ${problems.join('; ')}`)
  if (body.location === undefined)
    throw new ArmError(400, 'LocationRequired', 'The location property is required for this definition.')
  if (body.location !== region)
    throw new ArmError(
      400,
      'LocationNotAvailableForResourceType',
      `The provided location '${body.location}' is not available.`,
    )
  const before = world.find(id)
  if (before && ifNoneMatch === '*') throw new ArmError(412, 'PreconditionFailed', `The resource ${id} already exists.`)
  if (before && before.state !== 'Succeeded' && before.state !== 'Failed')
    throw new ArmError(409, 'AnotherOperationInProgress', `Another operation on ${id} is in progress.`)
  for (const { id: linked, action } of kind.linked(body)) authorize(grants, action, id, linked)
  const properties = kind.make(body, before, id, cloud)
  const resource: Resource = {
    id: before?.id ?? id,
    type: kind.type,
    name: before?.name ?? name,
    group,
    location: body.location,
    tags: body.tags ?? {},
    etag: `W/"${randomUUID()}"`,
    ...(body.zones && { zones: body.zones }),
    ...(body.sku && { sku: body.sku }),
    properties,
    state: before ? 'Updating' : kind === virtualMachines ? 'Creating' : 'Updating',
  }
  world.put(resource)
  const operation = world.start(async () => {
    const failure = before && kind === virtualMachines ? undefined : await kind.created?.(resource, cloud)
    if (resource.state === 'Deleting')
      return { code: 'OperationPreempted', message: 'The operation was preempted by a more recent one.' }
    resource.state = failure ? 'Failed' : 'Succeeded'
    if (failure) resource.failure = failure
    return failure
  })
  return { status: before ? 200 : 201, body: answer(cloud, kind, resource, null), operation }
}

/** Other tags in the place of those that were there; nothing else can be patched here. */
export function retag(cloud: Cloud, kind: ResourceType, id: string, body: PutBody): Outcome {
  const resource = cloud.world.find(id)
  if (!resource) throw new ArmError(404, 'ResourceNotFound', `The Resource '${id}' was not found.`)
  const others = Object.keys(body).filter((key) => key !== 'tags')
  if (others.length > 0) throw new ArmError(400, 'InvalidRequestContent', `not patched here: ${others.join(', ')}`)
  resource.tags = body.tags ?? resource.tags
  return { status: 200, body: answer(cloud, kind, resource, null) }
}

export function remove(cloud: Cloud, kind: ResourceType, id: string): Outcome {
  const { world } = cloud
  const resource = world.find(id)
  if (!resource) return { status: 204 }
  const holders = world.dependants(id).filter((one) => kind.holds?.(one) ?? true)
  const [holder] = holders
  if (holder) {
    const { status, code } = kind.inUse
    throw new ArmError(status, code, `${resource.name} cannot be deleted: it is in use by ${holder.id}.`)
  }
  resource.state = 'Deleting'
  const operation = world.start(async () => {
    await new Promise((resolve) => setTimeout(resolve, cloud.operationTime))
    await kind.deleted?.(resource, cloud)
    world.remove(resource.id)
    return undefined
  })
  return { status: 202, operation }
}

export function get(cloud: Cloud, kind: ResourceType, id: string, expand: string | null): Outcome {
  const resource = cloud.world.find(id)
  if (!resource) throw new ArmError(404, 'ResourceNotFound', `The Resource '${id}' was not found.`)
  return { status: 200, body: answer(cloud, kind, resource, expand) }
}

/** As Azure shows a resource; held against the SDK's model. */
export function answer(cloud: Cloud, kind: ResourceType, resource: Resource, expand: string | null): Json {
  const { id, name, type, location, tags, etag, zones, sku, state } = resource
  const properties = { ...kind.view(resource, cloud, expand), provisioningState: state }
  const body = {
    id,
    name,
    type,
    location,
    tags,
    ...(etag && { etag }),
    ...(zones && { zones }),
    ...(sku && { sku }),
    properties,
  }
  const problems = kind.model ? misfits(kind.model, body, 'answer') : []
  if (problems.length > 0)
    throw new Error(`the test cloud would answer what the SDK does not know: ${problems.join('; ')}`)
  return body
}
