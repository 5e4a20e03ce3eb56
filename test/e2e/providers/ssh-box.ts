import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../src/lib/log.ts'
import { newId } from '../../../src/model/ids.ts'
import type { Provider } from '../../../src/providers/contract.ts'
import { driver } from '../../../src/providers/ssh/driver.ts'
import { createReach } from '../../../src/shell/reach.ts'
import type { KeyPair } from './ssh-login.ts'

export interface SshBox {
  provider: Provider
  installation: string
  close(): Promise<void>
}

/** An installation of its own with a cloud of owned machines, as its settings say. */
export async function sshBox(settings: Record<string, unknown>, login: KeyPair): Promise<SshBox> {
  const home = await mkdtemp(join(tmpdir(), 'kitbag-ssh-'))
  const installation = newId('ins')
  const reach = createReach({ privateKey: login.privateKey, log: createLog({ level: 'error' }) })
  const ssh = { publicKey: login.publicKey, exec: reach.exec, hostKeys: reach.hostKeys }
  const environment = { installation, home, cache: home, ssh, log: () => {} }
  const cloud = { name: 'metal', settings: driver.settings.parse(settings), credentials: {} }
  const provider = await driver.connect(cloud, environment)
  const close = async () => {
    await reach.close()
    await rm(home, { recursive: true, force: true })
  }
  return { provider, installation, close }
}
