import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

export interface Seen {
  /** Command lines, each once. */
  commands: Set<string>
  /** Environments of processes outside of machines, each once. */
  environments: Set<string>
  rounds: number
}

/** Reads the process list of the box, its machines' processes among them, again and again until it is told to stop. */
export function watchProcesses(): () => Promise<Seen> {
  const seen: Seen = { commands: new Set(), environments: new Set(), rounds: 0 }
  const ownPids = readlinkSync('/proc/self/ns/pid')
  const known = new Map<string, string>()
  let going = true

  function look(pid: string): void {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    // A process gets another program, and so another command line, at any time; its environment goes with that.
    if (known.get(pid) === command) return
    known.set(pid, command)
    seen.commands.add(command)
    if (readlinkSync(`/proc/${pid}/ns/pid`) === ownPids) {
      seen.environments.add(readFileSync(`/proc/${pid}/environ`, 'latin1'))
    }
  }

  const watching = (async () => {
    while (going) {
      for (const pid of readdirSync('/proc')) {
        if (!/^\d+$/.test(pid)) continue
        try {
          look(pid)
        } catch {
          // It ended meanwhile.
        }
      }
      seen.rounds++
      await setImmediate()
    }
  })()
  return async () => {
    going = false
    await watching
    return seen
  }
}
