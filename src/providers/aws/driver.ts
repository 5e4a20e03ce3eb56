import { GetConsoleOutputCommand } from '@aws-sdk/client-ec2'
import { jumpHost } from '../../lib/jump-host.ts'
import type { Provider, ProviderDriver } from '../contract.ts'
import { connectEc2 } from './client.ts'
import type { AwsCloud } from './connection.ts'
import { createMachine } from './create-machine.ts'
import { credentialSource } from './credentials.ts'
import { destroyMachine } from './destroy-machine.ts'
import { awsCode } from './errors.ts'
import { findings } from './findings.ts'
import { firewall } from './firewall.ts'
import { imageWords } from './images.ts'
import { instanceReader } from './instance-reader.ts'
import { describeInstances, isInstanceId, living, toMachine } from './instances.ts'
import { market } from './market.ts'
import { letGo, marks } from './marks.ts'
import { residue } from './residue.ts'
import { type AwsCredentials, type AwsSettings, credentialsSchema, settingsSchema } from './settings.ts'
import { releaseAddresses, staticAddresses } from './static-addresses.ts'
import { readTag, tagFilters } from './tags.ts'

/** Machines at AWS EC2, and at whoever else speaks its API. */
export const driver: ProviderDriver<AwsSettings, AwsCredentials> = {
  kind: 'aws',
  summary: 'Machines at AWS EC2',
  capabilities: {
    images: imageWords,
    userData: true,
    fractionalCpu: false,
    zones: true,
    floatingAddress: false,
    imports: true,
  },
  settings: settingsSchema,
  credentials: credentialsSchema,
  connect: async ({ name, settings: given, credentials }, environment) => {
    const { installation, log } = environment
    const settings = settingsSchema.parse(given)
    const { region, endpoint } = settings
    const source = credentialSource(credentialsSchema.parse(credentials), region)
    const ec2 = connectEc2({ region, endpoint, credentials: source })
    const jump = jumpHost(name, settings.jump, environment)
    return connect({
      ...(jump && { jump }),
      name,
      installation,
      settings,
      ec2,
      instances: instanceReader(ec2, installation),
      log,
    })
  },
}

function connect(cloud: AwsCloud): Provider {
  const { ec2, instances, settings, jump } = cloud
  const offers = market(ec2, settings)
  const walls = firewall(cloud, offers)
  const present = (instance: Parameters<typeof toMachine>[0]) => toMachine(instance, settings.reach)
  return {
    catalog: offers.catalog,
    resolve: offers.resolve,
    createMachine: async (request, identity) =>
      present(await createMachine(cloud, { market: offers, firewall: walls }, request, identity)),
    secure: walls.secure,
    async release({ installation, deployment }) {
      const owner = { installation, deployment }
      // AWS takes no gateway away from a network whose machines have public addresses.
      await releaseAddresses(cloud, owner)
      await walls.release(owner)
    },
    ...(settings.publicAddresses && { staticAddresses: staticAddresses(cloud) }),
    async getMachine(id) {
      const found = isInstanceId(id) ? await instances.get(id) : undefined
      return found && readTag(found.Tags, 'installation') === cloud.installation ? present(found) : undefined
    },
    async listMachines({ tags }) {
      const filters = [...tagFilters(tags), { Name: 'instance-state-name', Values: living }]
      const listed = await describeInstances(ec2, filters)
      const ids = new Set(listed.map(({ InstanceId }) => InstanceId))
      const unlisted = instances.recent().filter(({ InstanceId, Tags }) => {
        const has = (['installation', 'deployment', 'machine'] as const).every(
          (word) => tags[word] === undefined || tags[word] === readTag(Tags, word),
        )
        return has && !ids.has(InstanceId)
      })
      return [...listed, ...unlisted].map(present)
    },
    destroyMachine: (id) => destroyMachine(cloud, id),
    letGo: (id) => letGo(cloud, id),
    marks: marks(cloud, walls),
    ...(jump && { route: async () => ({ jump: await jump.access() }) }),
    test: async () => [...(await findings(cloud, offers)), ...(jump ? [await jump.finding()] : [])],
    residue: (installation, known = []) => residue(cloud, installation, known),
    async console(id) {
      if (!isInstanceId(id)) return undefined
      const ask = (Latest: boolean) => ec2.send(new GetConsoleOutputCommand({ InstanceId: id, Latest }))
      // Types of before the Nitro system only have what AWS keeps of their last start.
      const { Output } = await ask(true).catch((error) => {
        if (awsCode(error) === 'UnsupportedOperation') return ask(false)
        throw error
      })
      return Output === undefined ? undefined : Buffer.from(Output, 'base64').toString('utf8')
    },
  }
}
