import { newId } from '../../../src/model/ids.ts'
import { driver } from '../../../src/providers/aws/driver.ts'
import type { AwsSettings } from '../../../src/providers/aws/settings.ts'
import type { CreateMachineRequest, Provider, ProviderMachine } from '../../../src/providers/contract.ts'
import { credentials, type Ec2Cloud } from '../../clouds/ec2/ec2-cloud.ts'

export interface AwsConnection {
  provider: Provider
  installation: string
  /** Lines logged. */
  said: string[]
}

/** A connection of an installation to the test cloud. */
export async function connectAws(
  cloud: Ec2Cloud,
  options: { settings?: Partial<AwsSettings>; installation?: string; credentials?: object } = {},
): Promise<AwsConnection> {
  const installation = options.installation ?? newId('ins')
  const said: string[] = []
  const environment = {
    installation,
    home: '/nowhere',
    cache: '/nowhere',
    log: (_: string, line: string) => said.push(line),
  }
  const settings = driver.settings.parse({ ...cloud.settings, ...options.settings })
  const given = driver.credentials.parse(options.credentials ?? credentials)
  return {
    provider: await driver.connect({ name: 'aws', settings, credentials: given }, environment),
    installation,
    said,
  }
}

export const keys = {
  hostKey: { privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nthe host key\n', publicKey: 'ssh-ed25519 AAAA host' },
  authorizedKeys: ['ssh-ed25519 BBBB login'],
}

export interface Wanted {
  component?: string
  name?: string
  token?: string
  deployment?: string
  ordinal?: number
  zones?: string[]
  memory?: number
  image?: string
  /** GiB. */
  disk?: number
}

/** Asks for one machine as the create unit does. */
export async function make({ provider, installation }: AwsConnection, wanted: Wanted = {}): Promise<ProviderMachine> {
  const { component = 'web', ordinal = 1, token = newId('mac'), deployment = 'dep_one', zones } = wanted
  const { image = 'debian-13', memory = 512 * 2 ** 20, disk } = wanted
  const requirements = { cpu: 1, memory, image, ...(disk !== undefined && { disk: disk * 2 ** 30 }) }
  const spec = await provider.resolve(requirements, { ordinal, ...(zones && { zones }) })
  const request: CreateMachineRequest = { name: wanted.name ?? `${component}-${ordinal}`, spec, component, ...keys }
  return provider.createMachine(request, { token, tags: { installation, deployment, machine: token } })
}
