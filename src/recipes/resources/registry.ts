import { archiveResource } from './archive.ts'
import { commandResource } from './command.ts'
import { directoryResource } from './directory.ts'
import { fileResource } from './file.ts'
import { linkResource } from './link.ts'
import { packageResource } from './package.ts'
import { serviceResource } from './service.ts'
import { systemdUnitResource } from './systemd-unit.ts'
import type { ResourceType } from './type.ts'
import { groupResource, userResource } from './user.ts'

/**
 * Every type of resource by the key that makes an entry of `resources:` one of it. `user` and `group` come last, because other types
 * have fields of those names.
 */
export const resourceTypes = {
  package: packageResource,
  file: fileResource,
  directory: directoryResource,
  link: linkResource,
  archive: archiveResource,
  'systemd-unit': systemdUnitResource,
  command: commandResource,
  service: serviceResource,
  user: userResource,
  group: groupResource,
} as const satisfies Record<string, ResourceType>

export type ResourceKey = keyof typeof resourceTypes

/** The type of an entry that begins with `key`. */
export function resourceTypeOf(key: string): ResourceType | undefined {
  return Object.hasOwn(resourceTypes, key) ? resourceTypes[key as ResourceKey] : undefined
}
