import { existsSync } from 'node:fs'

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))

/**
 * Words before a command that make the kernel send it this signal when we die, even by SIGKILL: so nothing is left behind. Where there
 * is no setpriv (part of util-linux) it stays, and the next start ends it.
 */
export function endWithParent(signal: 'SIGINT' | 'SIGTERM'): string[] {
  return setpriv && process.platform === 'linux' ? [setpriv, '--pdeathsig', signal.slice('SIG'.length), '--'] : []
}
