import { join } from 'node:path'
import { KitbagError } from '../../model/errors.ts'
import type { ProviderDriver } from '../contract.ts'
import { createCloud } from './cloud.ts'
import { images } from './images.ts'
import { ownedMachines } from './owned.ts'
import { credentialsSchema, nameOf, type SshCredentials, type SshSettings, settingsSchema } from './settings.ts'

/** Machines that exist: listed in the settings, claimed for a deployment, cleaned and given back at its end. */
export const driver: ProviderDriver<SshSettings, SshCredentials> = {
  kind: 'ssh',
  summary: 'Machines that you own',
  capabilities: {
    images,
    userData: false,
    fractionalCpu: true,
    zones: true,
    labels: true,
    floatingAddress: false,
    imports: {
      refused:
        'machines of provider ssh are claimed by the deploy itself: list it in the settings of the cloud, and choose it with placement.labels',
    },
    givesBack: true,
  },
  settings: settingsSchema,
  credentials: credentialsSchema,
  refuseChange({ before, after }, machines) {
    for (const id of machines) {
      const name = id.slice(0, id.lastIndexOf('~'))
      const own = (settings: SshSettings) => settings.machines.find((machine) => nameOf(machine) === name)
      const [old, now] = [own(before), own(after)]
      if (old && !now) return `${name} is in use, and would not be listed any more`
      if (old && now && (old.address !== now.address || old.port !== now.port))
        return `${name} is in use, and would have another address`
    }
    return undefined
  },
  connect: async ({ name, settings, credentials }, { ssh, installation, home, log }) => {
    if (!ssh) throw new KitbagError('internal', `cloud ${name}: the provider ssh was given no way to SSH`)
    const folder = join(home, 'ssh', name)
    const owned = ownedMachines({ cloud: name, settings, credentials, ssh, folder })
    return createCloud({ name, owned, purge: settings.purge, ssh, installation, log })
  },
}
