import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import type { AwsSettings } from '../../../src/providers/aws/settings.ts'
import { type MachinesBehind, machinesBehind } from '../support/machines-behind.ts'
import { accessKeys } from './access-keys.ts'
import { type Answer, answerError, clientTokens } from './client-tokens.ts'
import { elasticIps } from './elastic-ips.ts'
import { actOut, type Ec2Fault, faultFinder, sendError, takesEffect } from './faults.ts'
import { groupUse } from './group-use.ts'
import { published } from './images.ts'
import { startMoto } from './moto.ts'
import { publicIps } from './public-ips.ts'
import { tokenBucket } from './token-bucket.ts'

const region = 'eu-central-1'
export const credentials = { accessKeyId: 'AKIATEST00000000', secretAccessKey: 'the secret of the tests' }

/** What moto takes long for, and always answers alike. */
const unchanging = new Set(['DescribeInstanceTypeOfferings', 'DescribeImages'])

/** A call as the driver made it. */
export interface Traced {
  call: string
  parameters: Record<string, string>
  /** Was turned away by the throttle or a fault before it could do anything. */
  refused: boolean
  /** When it came and when its answer went, as `performance.now()` counts; one without an answer has no end. */
  began: number
  ended?: number
}

/** EC2 on this box: moto, and in front of it what moto lacks; with real machines behind it where asked for. */
export interface Ec2Cloud {
  endpoint: string
  /** Settings with which a cloud of Kitbag uses it. */
  settings: Partial<AwsSettings> & { region: string; endpoint: string }
  /** Another client of the same account, not seen in the trace. */
  stranger: EC2Client
  trace: Traced[]
  faults(rules: Ec2Fault[]): void
  /** Milliseconds before a new instance is listed. */
  lag: number
  /** How many Elastic IPs the account may have. */
  limitAddresses(count: number): void
  /** Calls a second that are answered, and how many at once after a rest. Absent: all. */
  throttle(limit?: { rate: number; burst: number }): void
  /** The control plane with this access key dies after so many calls: they took effect, and it never asks again. */
  dies(accessKeyId: string, calls: number): void
  isDead(accessKeyId: string): boolean
  /** Which access keys are refused. */
  keys: Pick<ReturnType<typeof accessKeys>, 'expireAfter' | 'renewAll'>
  /** The default one of a zone. */
  subnetOf(zone: string): Promise<string>
  /** False: machines made from now on stay dark. */
  boots: boolean
  /** Ends a machine without being asked by its owner. */
  vanish(id: string): Promise<void>
  machines?: MachinesBehind
  /** What went wrong here. */
  complaints: string[]
  close(): Promise<void>
}

export async function startEc2Cloud(options: { machines?: boolean } = {}): Promise<Ec2Cloud> {
  const moto = await startMoto()
  const machines = options.machines ? await machinesBehind('ec2') : undefined
  const instances = new Map<string, { at: number; ended: boolean; groups: string[] }>()
  const tokens = clientTokens()
  const found = faultFinder()
  const groups = groupUse()
  const addresses = elasticIps()
  const outside = machines && publicIps(machines.outside)
  const constant = new Map<string, Answer>()
  const mortal = new Map<string, number>()
  const keys = accessKeys()
  let bucket = tokenBucket()
  /** moto answers one at a time. */
  let queue: Promise<unknown> = Promise.resolve()

  const forward = (body: string, headers: IncomingHttpHeaders): Promise<Answer> => {
    const kept = { authorization: headers.authorization ?? '', 'content-type': headers['content-type'] ?? '' }
    const turn = queue.then(async () => {
      const response = await fetch(`http://127.0.0.1:${moto.port}/`, { method: 'POST', headers: kept, body })
      return { status: response.status, text: await response.text() }
    })
    queue = turn.catch(() => {})
    return turn
  }

  const began = async (parameters: URLSearchParams, text: string) => {
    const id = /<instanceId>(i-[0-9a-f]+)</.exec(text)?.[1] ?? ''
    const address = /<privateIpAddress>([\d.]+)</.exec(text)?.[1] ?? ''
    const ipv6 = /<ipv6Address>([\da-f:]+)</.exec(text)?.[1]
    const own = valuesOf(parameters, 'NetworkInterface.1.SecurityGroupId.')
    instances.set(id, { at: Date.now(), ended: false, groups: own })
    const image = published.find((one) => one.id === parameters.get('ImageId'))?.boots
    if (!machines || !cloud.boots || !image) return
    const userData = Buffer.from(parameters.get('UserData') ?? '', 'base64').toString('utf8')
    const size = { cpu: 1, memory: 1024 ** 3 }
    const wanted = { id, address, ...(ipv6 !== undefined && { ipv6 }), ...image, userData, ...size }
    machines.boot(wanted).catch((error) => cloud.complaints.push(String(error)))
  }
  const ended = async (ids: string[]) => {
    for (const id of ids) {
      const instance = instances.get(id)
      if (instance) instance.ended = true
      await machines?.end(id)
    }
  }

  const perform = async (call: string, parameters: URLSearchParams, body: string, headers: IncomingHttpHeaders) => {
    const ask = (Action: string, more = {}) =>
      forward(new URLSearchParams({ Action, Version: '2016-11-15', ...more }).toString(), headers)
    const refusal = parameters.get('DryRun') === 'true' ? undefined : await addresses.before(call, parameters, ask)
    if (refusal) return refusal
    if (call === 'DeleteSecurityGroup' && parameters.get('DryRun') !== 'true') {
      const id = parameters.get('GroupId') ?? ''
      const used = [...instances.values()].some((one) => !one.ended && one.groups.includes(id))
      const Filters = [{ Name: 'group-id', Values: [id] }]
      const { NetworkInterfaces = [] } = await stranger.send(new DescribeNetworkInterfacesCommand({ Filters }))
      const loose = NetworkInterfaces.some(({ Attachment }) => !Attachment)
      if (used || loose || groups.isReferredTo(id))
        return answerError('DependencyViolation', `resource ${id} has a dependent object`)
    }
    if (call === 'GetConsoleOutput' && machines && parameters.get('DryRun') !== 'true') {
      const output = Buffer.from(await machines.console(parameters.get('InstanceId') ?? '')).toString('base64')
      return { status: 200, text: `<GetConsoleOutputResponse><output>${output}</output></GetConsoleOutputResponse>` }
    }
    const ending = call === 'TerminateInstances' ? valuesOf(parameters, 'InstanceId.') : []
    // moto does not end what has ended.
    if (ending.length > 0 && ending.every((id) => instances.get(id)?.ended))
      return { status: 200, text: '<TerminateInstancesResponse><instancesSet/></TerminateInstancesResponse>' }
    const same = unchanging.has(call) ? constant.get(body) : undefined
    if (same) return same
    const answer = await forward(call === 'RunInstances' ? withIpv6(body) : body, headers)
    if (answer.status !== 200) return answer
    if (unchanging.has(call)) constant.set(body, answer)
    if (call === 'RunInstances') await began(parameters, answer.text)
    const changed = call === 'ModifyInstanceAttribute' ? instances.get(parameters.get('InstanceId') ?? '') : undefined
    if (changed) changed.groups = valuesOf(parameters, 'GroupId.')
    await ended(ending)
    if (ending.length > 0) await addresses.ended(ending, ask)
    await outside?.after(call, ask)
    if (call === 'DescribeInstances') return { ...answer, text: withoutNew(answer.text, instances, cloud.lag) }
    groups.saw(call, parameters)
    return answer
  }

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const parameters = new URLSearchParams(body)
    const call = parameters.get('Action') ?? ''
    const traced: Traced = { call, parameters: Object.fromEntries(parameters), refused: true, began: performance.now() }
    cloud.trace.push(traced)
    response.on('finish', () => {
      traced.ended = performance.now()
    })
    if (!bucket.take()) return sendError(response, 'RequestLimitExceeded', 'Request limit exceeded.', 503)
    const refusal = keys.refuse(keyOf(request), call)
    if (refusal !== undefined)
      return sendError(response, refusal, 'as asked for', refusal === 'AuthFailure' ? 401 : 400)
    const fault = found.find(call, decodeURIComponent(body.replaceAll('+', ' ')))
    if (fault && !takesEffect(fault)) return actOut(fault, response)
    const rest = mortal.get(keyOf(request))
    // Nobody is there any more to hear an answer.
    if (rest !== undefined && rest <= 0) return
    if (rest !== undefined && rest > 1) mortal.set(keyOf(request), rest - 1)
    traced.refused = false
    const work = () => perform(call, parameters, body, request.headers)
    const isEnded = (id: string) => instances.get(id)?.ended === true
    const said = call === 'RunInstances' ? await tokens.run(parameters, isEnded, work) : await work()
    const answer = outside?.translated(said) ?? said
    if (rest === 1) {
      mortal.set(keyOf(request), 0)
      return
    }
    if (fault) return actOut(fault, response, answer.text)
    response.writeHead(answer.status, { 'content-type': 'text/xml;charset=UTF-8' }).end(answer.text)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      cloud.complaints.push(String(error))
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stranger = new EC2Client({ region, endpoint: `http://127.0.0.1:${moto.port}`, credentials: { ...credentials } })

  const cloud: Ec2Cloud = {
    endpoint,
    settings: { region, endpoint },
    stranger,
    trace: [],
    faults: found.set,
    lag: 0,
    limitAddresses: (count) => {
      addresses.limit = count
    },
    throttle: (limit) => {
      bucket = tokenBucket(limit)
    },
    dies: (accessKeyId, calls) => void mortal.set(accessKeyId, calls),
    isDead: (accessKeyId) => mortal.get(accessKeyId) === 0,
    keys,
    async subnetOf(zone) {
      const Filters = [{ Name: 'availability-zone', Values: [zone] }]
      const { Subnets = [] } = await stranger.send(new DescribeSubnetsCommand({ Filters }))
      return Subnets[0]?.SubnetId ?? ''
    },
    boots: true,
    async vanish(id) {
      await stranger.send(new TerminateInstancesCommand({ InstanceIds: [id] }))
      await ended([id])
    },
    ...(machines && { machines }),
    complaints: [],
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await moto.close()
      stranger.destroy()
      await machines?.close()
    },
  }
  if (machines) {
    const { Vpc } = await stranger.send(new CreateVpcCommand({ CidrBlock: machines.subnet }))
    const { Subnet } = await stranger.send(
      new CreateSubnetCommand({ VpcId: Vpc?.VpcId ?? '', CidrBlock: machines.subnet }),
    )
    const network = { subnets: [Subnet?.SubnetId ?? ''] }
    Object.assign(cloud.settings, { network, publicAddresses: false, reach: 'private' })
  }
  return cloud
}

function keyOf({ headers }: IncomingMessage): string {
  return /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1] ?? ''
}

function valuesOf(parameters: URLSearchParams, prefix: string): string[] {
  return [...parameters].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value)
}

/** Leaves out what the lists do not have yet. */
function withoutNew(text: string, instances: Map<string, { at: number }>, lag: number): string {
  if (lag === 0) return text
  const [head = '', ...reservations] = text.split(/(?=<item><reservationId>)/)
  const last = reservations.length - 1
  const kept = reservations.map((one, i) => {
    const id = /<instanceId>(i-[0-9a-f]+)</.exec(one)?.[1] ?? ''
    if (Date.now() - (instances.get(id)?.at ?? 0) >= lag) return one
    return i === last ? one.slice(one.indexOf('</reservationSet>')) : ''
  })
  return head + kept.join('')
}

/** moto knows how many IPv6 addresses there are to be only of the machine, not of its interface. */
function withIpv6(body: string): string {
  const count = new URLSearchParams(body).get('NetworkInterface.1.Ipv6AddressCount')
  return count === null ? body : `${body}&Ipv6AddressCount=${count}`
}
