import { KitbagError, type KitbagErrorOptions } from '../../model/errors.ts'

/** The code of an answer of EC2 or STS (`InsufficientInstanceCapacity`); undefined: there was no readable answer. */
export function awsCode(error: unknown): string | undefined {
  const { Code, name, $metadata, cause } = (error ?? {}) as {
    Code?: unknown
    name?: unknown
    $metadata?: unknown
    cause?: unknown
  }
  if (error instanceof KitbagError) return awsCode(cause)
  if (typeof Code === 'string') return Code
  return $metadata !== undefined && typeof name === 'string' && !parserErrors.has(name) ? name : undefined
}

/** What the SDK throws holds the whole request, and so user data and signatures: only what is said of it goes on. */
class AwsError extends Error {
  readonly Code: string | undefined

  constructor(code: string | undefined, message: string) {
    super(message)
    this.Code = code
  }
}

/** What the SDK throws for an answer that is not what it should be: HTML, cut off. */
const parserErrors = new Set(['SyntaxError', 'TypeError', 'Error', 'UnknownError', 'Unknown'])

/** No room for this type in this zone at this time: another zone or way of buying may have some. */
export const capacityCodes = new Set([
  'InsufficientInstanceCapacity',
  'InsufficientHostCapacity',
  'InsufficientCapacity',
  'SpotMaxPriceTooLow',
  'MaxSpotInstanceCountExceeded',
  'Unsupported',
])

const quotas: Record<string, string> = {
  InstanceLimitExceeded: 'instances of this type',
  VcpuLimitExceeded: 'vCPUs of running instances',
  VolumeLimitExceeded: 'volumes',
  MaxIOPSLimitExceeded: 'disk operations',
  NetworkInterfaceLimitExceeded: 'network interfaces',
  SecurityGroupLimitExceeded: 'security groups',
  SecurityGroupsPerInstanceLimitExceeded: 'security groups per machine',
  RulesPerSecurityGroupLimitExceeded: 'rules per security group',
  VpcLimitExceeded: 'VPCs',
  SubnetLimitExceeded: 'subnets',
  InternetGatewayLimitExceeded: 'internet gateways',
  AddressLimitExceeded: 'Elastic IPs',
  InsufficientFreeAddressesInSubnet: 'free addresses in the subnet',
}

/** Too many calls at the time. */
export const throttleCodes = new Set([
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'EC2ThrottledException',
  'RequestThrottled',
])

const refused: Record<string, string> = {
  AuthFailure: 'the credentials are refused',
  InvalidClientTokenId: 'the access key is not known',
  SignatureDoesNotMatch: 'the secret access key is wrong',
  ExpiredToken: 'the credentials have expired',
  ExpiredTokenException: 'the credentials have expired',
  RequestExpired: 'the credentials, or the clock of this box, are out of date',
  CredentialsProviderError: 'no credentials could be had',
  TokenProviderError: 'no credentials could be had',
  InvalidIdentityToken: 'the web identity token is refused',
  AccessDenied: 'the role may not be assumed',
  AccessDeniedException: 'the role may not be assumed',
  OptInRequired: 'the account is not signed up for this region',
  Blocked: 'the account is blocked',
  PendingVerification: 'the account is still being verified',
}

/** An SDK's error as Kitbag's own: `call` is the API's name (`RunInstances`), `machine` the machine it was for. */
export function toKitbagError(error: unknown, call: string, machine?: string): KitbagError {
  if (error instanceof KitbagError) return error
  const code = awsCode(error) ?? credentialsCode(error)
  const where = machine === undefined ? `aws: ${call}` : `aws: ${call} for ${machine}`
  const status = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode ?? 0
  const message = said(error)
  const options: KitbagErrorOptions = { cause: new AwsError(code, message), ...(machine !== undefined && { machine }) }
  if (code !== undefined && Object.hasOwn(refused, code))
    return new KitbagError('provider-failed', `${where}: ${refused[code]} (${code})`, {
      ...options,
      fix: 'Give new ones: kitbag cloud set NAME --credentials FILE.',
    })
  if (code === 'UnauthorizedOperation')
    return new KitbagError('provider-failed', `${where}: the permission ec2:${call} is missing`, {
      ...options,
      fix: 'Give it to the user or role of this cloud; `kitbag cloud test` lists all that are needed.',
    })
  if (code !== undefined && capacityCodes.has(code))
    return new KitbagError('capacity-exceeded', `${where}: AWS has no room for it: ${message}`, {
      ...options,
      fix: 'Ask for another size (machine.cpu, machine.memory), other zones (placement.zones), or try later.',
    })
  if (code !== undefined && Object.hasOwn(quotas, code))
    return new KitbagError('capacity-exceeded', `${where}: the account's limit of ${quotas[code]} is reached`, {
      ...options,
      fix: 'Ask AWS for more under Service Quotas, or destroy what is not needed.',
    })
  const retryable = code === undefined || throttleCodes.has(code) || status >= 500 || transient.has(code)
  const what = code === undefined ? `no readable answer: ${message}` : `${code}: ${message}`
  return new KitbagError('provider-failed', `${where}: ${what}`, { ...options, retryable })
}

const transient = new Set(['RequestTimeout', 'RequestTimeoutException', 'TimeoutError', 'InternalError', 'Unavailable'])

function credentialsCode(error: unknown): string | undefined {
  const name = (error as { name?: unknown } | undefined)?.name
  return name === 'CredentialsProviderError' || name === 'TokenProviderError' ? name : undefined
}

/** One line, and short: an answer may hold a whole page, or an encoded authorization message. */
function said(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 300)}...` : line
}
