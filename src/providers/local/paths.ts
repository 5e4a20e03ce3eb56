import { join } from 'node:path'

/** Where the driver keeps what of an installation. */
export interface LocalPaths {
  folder: string
  network: string
  networkLock: string
  machines: string
  machine(id: string): MachinePaths
}

export interface MachinePaths {
  folder: string
  lock: string
  /** The machine's record; it exists exactly as long as the machine does. */
  record: string
  upper: string
  work: string
  root: string
  script: string
  log: string
  /** Held by whatever runs of the supervisor's script, also by what it started, until that has become the guest. */
  supervisorLock: string
  /** Name of the file by which systemd-nspawn locks the root. */
  nspawnLock: string
  /** `<pid> <start time>` of the running supervisor and guest. */
  supervisor: string
  guest: string
  /** Exists when the guest was powered off from inside. */
  stopped: string
}

export function localPaths(home: string): LocalPaths {
  const folder = join(home, 'local')
  const machines = join(folder, 'machines')
  const locks = join(folder, 'locks')
  return {
    folder,
    machines,
    network: join(folder, 'network.json'),
    networkLock: join(locks, 'network'),
    machine: (id) => {
      const own = join(machines, id)
      return {
        folder: own,
        lock: join(locks, id),
        record: join(own, 'machine.json'),
        upper: join(own, 'upper'),
        work: join(own, 'work'),
        root: join(own, 'root'),
        script: join(own, 'supervise'),
        log: join(own, 'console.log'),
        supervisorLock: join(own, 'supervisor.lock'),
        nspawnLock: join(own, 'nspawn.lock'),
        supervisor: join(own, 'supervisor.pid'),
        guest: join(own, 'guest.pid'),
        stopped: join(own, 'stopped'),
      }
    },
  }
}
