import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../demo/paths.ts'
import type { MachineAccess } from '../../src/model/machine.ts'
import type { Bench } from './bench.ts'
import { benchFolder } from './folder.ts'
import { say } from './say.ts'

const execute = promisify(execFile)

/** Pinned, so that figures of different days can be compared. */
const versions = { pyinfra: '3.10', 'ansible-core': '2.14.18' }

/** Each runs once over all machines, and throws with its last words, also when it changed something: they are as they shall be. */
export interface Peers {
  pyinfra(): Promise<void>
  ansible(): Promise<void>
  /** `pyinfra 3.10` */
  versions: { pyinfra: string; ansible: string }
}

/** Installs both into a Python environment that goes with the cleanup. Throws where that cannot be. */
export async function installPeers(
  { cleanup, signal }: Bench,
  machines: MachineAccess[],
  privateKey: string,
): Promise<Peers> {
  const folder = mkdtempSync(`${benchFolder()}/peers-`)
  cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const run = async (program: string, args: string[]): Promise<string> => {
    const env = { ...process.env, HOME: folder, ANSIBLE_CONFIG: join(folder, 'ansible.cfg') }
    try {
      return (await execute(program, args, { cwd: folder, env, signal, maxBuffer: 16 << 20 })).stdout
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
      throw new Error(`${program}: ${`${stderr}${stdout}`.trim().slice(-500) || message}`)
    }
  }
  say('   peers: installing pyinfra and Ansible into a throw-away environment')
  await run('python3', ['-m', 'venv', 'venv'])
  await run('venv/bin/pip', [
    'install',
    '-q',
    ...Object.entries(versions).map(([name, version]) => `${name}==${version}`),
  ])
  writeFileSync(join(folder, 'key'), privateKey, { mode: 0o600 })
  writeFileSync(join(folder, 'known_hosts'), machines.map(({ address, hostKey }) => `${address} ${hostKey}\n`).join(''))
  writeFileSync(join(folder, 'ansible.cfg'), ansibleConfiguration(folder))
  writeFileSync(join(folder, 'hosts.ini'), ansibleInventory(folder, machines))
  writeFileSync(join(folder, 'inventory.py'), pyinfraInventory(folder, machines))

  const ansible = () =>
    run('venv/bin/ansible-playbook', ['-i', 'hosts.ini', join(root, 'bench/floors/resources18.yml')])
  const pyinfra = () =>
    run('venv/bin/pyinfra', ['-y', 'inventory.py', join(root, 'bench/floors/resources18_pyinfra.py')])
  return {
    async ansible() {
      const said = await ansible()
      if (!/changed=0/.test(said) || /changed=[1-9]/.test(said)) throw new Error(`Ansible: ${said.slice(-500)}`)
    },
    async pyinfra() {
      await pyinfra()
    },
    versions: { pyinfra: `pyinfra ${versions.pyinfra}`, ansible: `Ansible ${versions['ansible-core']}` },
  }
}

/** As fast as it goes: pipelining, and all machines at once. */
function ansibleConfiguration(folder: string): string {
  return `[defaults]
forks = 20
gathering = explicit
local_tmp = ${folder}/tmp
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${folder}/known_hosts
control_path_dir = ${folder}/cp
`
}

function ansibleInventory(folder: string, machines: MachineAccess[]): string {
  const hosts = machines.map(({ name, address, user }) => `${name} ansible_host=${address} ansible_user=${user}`)
  return `[lab]
${hosts.join('\n')}
[lab:vars]
ansible_ssh_private_key_file=${folder}/key
ansible_python_interpreter=/usr/bin/python3
`
}

function pyinfraInventory(folder: string, machines: MachineAccess[]): string {
  const hosts = machines.map(({ address, user }) => [
    address,
    { ssh_user: user, ssh_key: `${folder}/key`, ssh_known_hosts_file: `${folder}/known_hosts` },
  ])
  return `lab = [${hosts.map((host) => `tuple(${JSON.stringify(host)})`).join(', ')}]\n`
}
