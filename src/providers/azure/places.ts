import type { Azure } from './azure.ts'
import { type ComponentGroups, ensureComponent } from './firewall.ts'
import type { Owner } from './names.ts'
import { ensureShared, type Shared } from './shared.ts'

export interface Place extends Shared {
  /** Absent where the settings name a security group. */
  groups?: ComponentGroups
}

/** Where machines go, seen to once for each deployment and component by each process: the machines after the first cost no call. */
export interface Places {
  of(owner: Owner, component: string): Promise<Place>
  /** It is seen to anew, because something of it is gone or about to go. */
  forget(owner: Owner): void
}

export function keepPlaces(azure: Azure): Places {
  const kept = new Map<string, Promise<unknown>>()
  const once = <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const known = kept.get(key)
    if (known) return known as Promise<T>
    const made = make()
    kept.set(key, made)
    made.catch(() => kept.delete(key))
    return made
  }
  const keyOf = ({ installation, deployment }: Owner) => `${installation}/${deployment}/`
  return {
    async of(owner, component) {
      const shared = await once(keyOf(owner), () => ensureShared(azure, owner))
      if (azure.settings.securityGroup !== undefined) return shared
      const key = `${keyOf(owner)}${component}`
      return { ...shared, groups: await once(key, () => ensureComponent(azure, owner, shared.group, component)) }
    },
    forget(owner) {
      for (const key of kept.keys()) if (key.startsWith(keyOf(owner))) kept.delete(key)
    },
  }
}
