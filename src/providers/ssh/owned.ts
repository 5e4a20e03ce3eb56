import { parseBytes } from '../../lib/bytes.ts'
import { type JumpSettings, jumpTarget } from '../../lib/jump.ts'
import { createPins } from '../../lib/pins.ts'
import type { MachineAccess } from '../../model/machine.ts'
import type { MachineRoute, ProviderSsh } from '../contract.ts'
import { type MachineSettings, nameOf, type SshCredentials, type SshSettings } from './settings.ts'

/** One listed machine, with everything said about it. */
export interface OwnedMachine extends Omit<MachineSettings, 'memory'> {
  name: string
  user: string
  /** Bytes. */
  memory?: number
}

/** The listed machines of a cloud, and the way to each. */
export interface OwnedMachines {
  all: OwnedMachine[]
  find(name: string): OwnedMachine | undefined
  /** Throws `machine-unreachable`, `host-key-mismatch`. */
  access(machine: OwnedMachine): Promise<MachineAccess>
  route(machine: OwnedMachine): Promise<MachineRoute>
}

export interface OwnedOptions {
  cloud: string
  settings: SshSettings
  credentials: SshCredentials
  ssh: ProviderSsh
  /** Where host keys of first uses are kept. */
  folder: string
}

export function ownedMachines({ cloud, settings, credentials, ssh, folder }: OwnedOptions): OwnedMachines {
  const pins = createPins(ssh, folder)
  const login = credentials.privateKey === undefined ? {} : { privateKey: credentials.privateKey }
  const all: OwnedMachine[] = settings.machines.map(({ memory, ...machine }) => {
    const bytes = memory === undefined ? undefined : parseBytes(memory)
    return {
      ...machine,
      name: nameOf(machine),
      user: machine.user ?? settings.user,
      ...(bytes !== undefined && { memory: bytes }),
    }
  })

  async function jumpAccess(jump: JumpSettings): Promise<MachineAccess> {
    const target = { ...jumpTarget(cloud, { user: settings.user, ...jump }), ...login }
    return { ...target, hostKey: await pins.keyOf(target, jump.hostKey) }
  }

  async function route({ jump = settings.jump }: OwnedMachine): Promise<MachineRoute> {
    return { ...login, ...(jump && { jump: await jumpAccess(jump) }) }
  }

  return {
    all,
    find: (name) => all.find((machine) => machine.name === name),
    route,
    async access(machine) {
      const { name, address, port, user, hostKey } = machine
      const target = { id: `ssh:${cloud}:${name}`, name, address, port, user, ...(await route(machine)) }
      return { ...target, hostKey: await pins.keyOf(target, hostKey) }
    },
  }
}
