import { createHash } from 'node:crypto'
import { ownKeyPair } from '../../lib/own-key-pair.ts'
import { KitbagError } from '../../model/errors.ts'
import type { Prepared, PrepareInput } from '../contract.ts'
import { backendLines, pageFile, serverOptions } from './backend-text.ts'
import { normalPem } from './certificate-text.ts'
import {
  type ConfiguredBackend,
  type ConfiguredCertificate,
  type ConfiguredListener,
  certificateFile,
  closedBackends,
  type Peer,
  peersCertificate,
  type ServerOverrides,
} from './configuration.ts'
import { sha512Crypt } from './crypt.ts'
import { doorCertificates, doorName, doorOptions, doorPort, prepareDoor } from './doors.ts'
import { frontend, userList } from './frontend-text.ts'
import { peersLines } from './peers-text.ts'

/** The recipe's parameters as the planner set them, their references resolved. */
export interface LoadBalancerParameters {
  listeners: ConfiguredListener[]
  backends: ConfiguredBackend[]
  certificates: ConfiguredCertificate[]
  users: { port: number; name: string; password: unknown }[]
  maintenance: { page: string; retryAfter: number; backends: string[] }
  overrides: ServerOverrides
  /** The machines themselves, where they share what they count. */
  nodes?: Peer[]
  /** Generated; what they prove themselves to each other by is made of it. */
  seed?: string
}

/** Goes up with a change of the recipe's template that a running HAProxy sees by a reload only. */
const templateVersion = 4

/** The configuration's text, the files that it names, and what tells whether a running process has it. */
export async function prepare({ extra, parameters }: Pick<PrepareInput, 'extra' | 'parameters'>): Promise<Prepared> {
  if (extra === doorName) return prepareDoor(parameters)
  const given = parameters as unknown as LoadBalancerParameters
  const { listeners, maintenance, overrides } = given
  const { nodes = [] } = given
  const peers = nodes.length > 1 ? nodes : []
  const fronts = listeners.map((listener) => frontend(listener, peers))
  const backends = given.backends.map((backend) => ({
    ...backend,
    ...(backend.door && { servers: backend.servers.map((server) => ({ ...server, port: doorPort })) }),
    text: text(backendLines(backend, maintenance)),
    check: serverOptions(backend) + doorOptions(backend),
  }))
  const users = userLines(given.users)
  const shown = given.certificates.map(({ name, pem }) => ({ name, pem: normalPem(name, pem) }))
  const doors = doorCertificates(given.backends)
  const certificates = [...shown, ...(peers.length > 0 ? [ownCertificate(given.seed)] : []), ...doors]
  const frontends = text([
    ...users.lines,
    ...(peers.length > 0 ? peersLines(listeners, peers) : []),
    ...fronts.flatMap(({ lines }) => ['', ...lines]),
  ])
  const tables = fronts.flatMap((one) => one.tables)
  const known = backends.map(({ backend }) => backend)
  const structure = digest([
    templateVersion,
    frontends,
    tables,
    maintenance.page,
    backends.map(({ text: own, check }) => [own, check]),
    ...(doors.length > 0 ? [doors] : []),
  ])
  return {
    parameters: {
      ...parameters,
      structure,
      frontends,
      backends,
      certificates,
      nodes: peers,
      tables,
      closed: closedBackends(known, maintenance.backends, overrides),
      page: maintenance.page,
      kept: [
        ...tables.map(({ file }) => file),
        ...certificates.map(({ name }) => certificateFile(name)),
        pageFile,
      ].join(' '),
    },
    secrets: [...users.hashes, ...certificates.map(({ pem }) => pem)],
  }
}

/** What the machines prove by that they are peers. */
function ownCertificate(seed = ''): ConfiguredCertificate {
  const { certificate, key } = ownKeyPair(seed, 'load balancer peers')
  return { name: peersCertificate, pem: certificate + key }
}

function text(lines: string[]): string {
  return lines.join('\n')
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}

/** Lists of users with the hashes of their passwords. Throws `invalid-request` for a password that is none. */
function userLines(users: LoadBalancerParameters['users']): { lines: string[]; hashes: string[] } {
  const hashes: string[] = []
  const lines = [...new Set(users.map(({ port }) => port))].flatMap((port) => [
    `userlist ${userList(port)}`,
    ...users
      .filter((user) => user.port === port)
      .map(({ name, password }) => {
        if (typeof password !== 'string' || password === '')
          throw new KitbagError('invalid-request', `the password of ${name} (port ${port}) is empty`)
        const salt = createHash('sha256').update(`${port} ${name}`).digest('hex').slice(0, 16)
        const hash = sha512Crypt(password, salt)
        hashes.push(hash)
        return `    user ${name} password ${hash}`
      }),
  ])
  return { lines, hashes }
}
