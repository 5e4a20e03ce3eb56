import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet'
import { expect } from 'vitest'
import { accessTo } from '../../../src/api/views/access.ts'
import { createLog } from '../../../src/lib/log.ts'
import { cacheFolder } from '../../../src/main/paths.ts'
import { setUp } from '../../../src/main/setup.ts'
import type { MachineAccess } from '../../../src/model/machine.ts'
import { wireName } from '../../../src/toolkit/dns/name.ts'
import { apiUser } from '../../support/api-user.ts'
import { startControlPlane, type TestControlPlane, temporaryHome } from '../../support/control-plane.ts'

/** A control plane with a cloud of local machines, and what tests of DNS do with it. */
export interface DnsBox {
  plane: TestControlPlane
  /** Submits, waits for the end; throws with the operation's words when it did not succeed. */
  operate(deployment: string, body: object): Promise<{ seconds: number; result: Record<string, unknown> }>
  /** A change through the service's API, waited for. */
  change(
    deployment: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ seconds: number; result: Record<string, unknown> }>
  read<T>(deployment: string, path: string): Promise<T>
  /** An archive, under its digest. */
  upload(digest: string, bytes: Buffer): Promise<void>
  putSecret(deployment: string, secret: string, value: string): Promise<void>
  nodes(deployment: string): Promise<MachineAccess[]>
  run(node: MachineAccess, command: string): Promise<string>
  /** Takes a machine away at its cloud, behind the control plane's back. */
  lose(deployment: string, machine: string): Promise<void>
  /** Ends the control plane and starts it again on the same state; `meanwhile` runs while there is none. */
  without(meanwhile: () => Promise<void>): Promise<void>
  /** Destroys everything; data of these components may be lost. */
  close(allowDataLoss?: string[]): Promise<void>
}

export async function startDnsBox(images: string[]): Promise<DnsBox> {
  const home = await temporaryHome()
  await setUp({ home, cache: cacheFolder(), images, onProgress: () => {} } as Parameters<typeof setUp>[0])
  let plane = await startControlPlane({ home, log: createLog({ level: 'error' }) })
  const deployments = new Set<string>()

  const { call, succeeded, swept } = apiUser(() => plane)
  async function finished(operation: { id: string }, began: number) {
    const { result = {} } = await succeeded(operation)
    return { seconds: (Date.now() - began) / 1000, result: { ...result } }
  }
  await call('POST', '/v1/clouds', { name: 'home', provider: 'local' })

  const box: DnsBox = {
    get plane() {
      return plane
    },
    async operate(deployment, body) {
      deployments.add(deployment)
      const began = Date.now()
      return finished(await call('POST', `/v1/deployments/${deployment}/operations`, body), began)
    },
    async change(deployment, method, path, body) {
      const began = Date.now()
      return finished(await call(method, `/v1/deployments/${deployment}/dns/dns${path}`, body), began)
    },
    read: (deployment, path) => call('GET', `/v1/deployments/${deployment}/dns/dns${path}`),
    async upload(digest, bytes) {
      const { store, tenantId } = plane.parts
      await store.blobs.put(
        tenantId,
        digest,
        (async function* () {
          yield bytes
        })(),
      )
    },
    async putSecret(deployment, secret, value) {
      const { status } = await plane.request('PUT', `/v1/deployments/${deployment}/secrets/${secret}`, { value })
      if (status >= 300) throw new Error(`${secret}: ${status}`)
    },
    async nodes(deployment) {
      const { store, tenantId } = plane.parts
      const found = await store.deployments.getByName(tenantId, deployment)
      return found ? accessTo(await store.machines.list(found.id)) : []
    },
    async run(node, command) {
      const { status, stdout, stderr } = await plane.parts.reach.exec(node, command, { root: true, timeout: 120_000 })
      if (status !== 0) throw new Error(`${node.name}: ${command}: ${status} ${stdout} ${stderr}`)
      return stdout.trim()
    },
    async lose(deployment, machine) {
      const { store, tenantId, clouds } = plane.parts
      const found = await store.deployments.getByName(tenantId, deployment)
      const machines = found ? await store.machines.list(found.id) : []
      const row = machines.find((one) => one.name === machine)
      if (!row?.providerId) throw new Error(`no machine ${machine}`)
      await (await clouds.provider(row.cloudId)).destroyMachine(row.providerId)
    },
    async without(meanwhile) {
      await plane.stop()
      try {
        await meanwhile()
      } finally {
        plane = await startControlPlane({ home })
      }
    },
    async close(allowDataLoss) {
      try {
        for (const deployment of deployments)
          await box.operate(deployment, { kind: 'destroy', ...(allowDataLoss && { allowDataLoss }) })
        expect(await swept()).toEqual([])
      } finally {
        await plane.stop()
        await rm(home, { recursive: true, force: true })
      }
    },
  }
  return box
}

/** A zone's blueprint, alone in its deployment. */
export function blueprint(deployment: string, section: object): object {
  const text = JSON.stringify({ apiVersion: 'kitbag/v1', name: deployment, toolkit: { dns: section } })
  return { kind: 'deploy', blueprint: { text }, cloud: 'home' }
}

/** Contents that a name server answers for a name and type, sorted: addresses and the like as text, others in hexadecimal. */
export async function ask(address: string, name: string, type: string, asking?: Asking): Promise<string[]> {
  const { answers = [], rcode } = await question(address, name, type, asking)
  if (rcode !== 'NOERROR') return [rcode]
  const found = answers.flatMap((answer) => (answer.type === type ? [(answer as { data: unknown }).data] : []))
  return found.map(shown).sort()
}

function shown(data: unknown): string {
  if (Buffer.isBuffer(data)) return data.toString('hex')
  if (typeof data !== 'object' || data === null) return String(data)
  return Object.values(data).map(shown).join(' ')
}

export interface Asking {
  /** On behalf of clients there (RFC 7871). */
  subnet?: string
  /** Milliseconds to wait for the answer; default 20,000. */
  timeout?: number
}

/** The same of one that may be away just now: nothing where no answer comes. */
export async function askIfThere(address: string, name: string, type: string): Promise<string[]> {
  return ask(address, name, type, { timeout: 1000 }).catch(() => [])
}

interface Answer extends Packet {
  rcode: string
}

/** One question over UDP, which is not asked again. */
export function question(
  address: string,
  name: string,
  type: string,
  { subnet, timeout = 20_000 }: Asking = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const end = (work: () => void) => {
      clearTimeout(timer)
      socket.close()
      work()
    }
    const timer = setTimeout(() => end(() => reject(new Error(`${address} does not answer ${name} ${type}`))), timeout)
    socket.on('error', (error) => end(() => reject(error)))
    socket.on('message', (message) => end(() => resolve(decode(message) as unknown as Answer)))
    const questions = [{ name, type: type as 'A' }]
    socket.send(encode({ type: 'query', id: 7, questions, additionals: [edns(subnet)] }), 53, address)
  })
}

function edns(subnet?: string) {
  const [ip = '', length] = subnet?.split('/') ?? []
  const option = { code: 'CLIENT_SUBNET', family: ip.includes(':') ? 2 : 1, sourcePrefixLength: Number(length), ip }
  const options = subnet === undefined ? [] : [option]
  return { type: 'OPT' as const, name: '.', udpPayloadSize: 1232, flags: 0, options } as never
}

/** A key of a zone transfer; the secret in base64. */
export interface TransferKey {
  name: string
  secret: string
}

/** A message signed with a key (RFC 8945, 4.2 and 4.3.3), with its length before it. */
function signed(message: Buffer, { name, secret }: TransferKey): Buffer {
  const number = (value: number, bytes: number) => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
  const [owner, algorithm, unsigned] = [wireName(name), wireName('hmac-sha256'), message.subarray(2)]
  const [time, error] = [Buffer.concat([number(Math.floor(Date.now() / 1000), 6), number(300, 2)]), number(0, 4)]
  const variables = [owner, number(255, 2), number(0, 4), algorithm, time, error]
  const mac = createHmac('sha256', Buffer.from(secret, 'base64'))
    .update(Buffer.concat([unsigned, ...variables]))
    .digest()
  const data = Buffer.concat([algorithm, time, number(mac.length, 2), mac, unsigned.subarray(0, 2), error])
  const record = Buffer.concat([owner, number(250, 2), number(255, 2), number(0, 4), number(data.length, 2), data])
  const whole = Buffer.concat([unsigned, record])
  whole.writeUInt16BE(whole.readUInt16BE(10) + 1, 10)
  return Buffer.concat([number(whole.length, 2), whole])
}

/** A zone transfer: names and types of all records, or the code with which it is refused. */
export function transfer(address: string, zone: string, key?: TransferKey): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(53, address)
    socket.setTimeout(60_000, () => socket.destroy(new Error(`${address}: no transfer of ${zone}`)))
    const records: string[] = []
    let pending = Buffer.alloc(0)
    socket.on('connect', () => {
      const message = streamEncode({ type: 'query', id: 9, questions: [{ name: zone, type: 'AXFR' as 'A' }] })
      socket.write(key ? signed(message, key) : message)
    })
    socket.on('error', reject)
    socket.on('end', () => resolve(records))
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= pending.readUInt16BE(0) + 2) {
        const length = pending.readUInt16BE(0) + 2
        const message = streamDecode(pending.subarray(0, length)) as unknown as Answer
        pending = pending.subarray(length)
        if (message.rcode !== 'NOERROR') records.push(message.rcode)
        for (const { name, type } of message.answers ?? []) records.push(`${name} ${type}`)
        if (message.rcode !== 'NOERROR' || records.filter((record) => record === `${zone} SOA`).length === 2) {
          socket.destroy()
          resolve(records)
        }
      }
    })
  })
}

/** The box's own address as a machine sees it. */
export function ownAddress(machine: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(22, machine, () => {
      const { localAddress = '' } = socket
      socket.destroy()
      resolve(localAddress)
    })
    socket.on('error', reject)
  })
}

/** What `delv` says of a name's answer when the zone's DS is all that it trusts: on the box, else on the node. */
export async function validated(box: DnsBox, node: MachineAccess, [zone, ds]: [string, string], question: string) {
  const [tag, algorithm, digestType, digest] = ds.split(' ')
  const anchor = `trust-anchors { "${zone}" static-ds ${tag} ${algorithm} ${digestType} "${digest}"; };`
  const command = `f=$(mktemp) && echo '${anchor}' >"$f" && delv @${node.address} -a "$f" +root=${zone} ${question} 2>&1; rm -f "$f"`
  if (has('delv')) return execFileSync('sh', ['-c', command], { encoding: 'utf8' })
  const install =
    'command -v delv >/dev/null || apt-get install -qq -y --no-install-recommends bind9-dnsutils >/dev/null'
  return box.run(node, `sh -c '${`${install}; ${command}`.replaceAll("'", "'\\''")}'`)
}

/** Whether the box has a program. */
function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
