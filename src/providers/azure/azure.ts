import type { ComputeManagementClient } from '@azure/arm-compute'
import type { NetworkManagementClient } from '@azure/arm-network'
import type { ResourceManagementClient } from '@azure/arm-resources'
import { redirectPolicyName } from '@azure/core-rest-pipeline'
import type { TokenCredential } from '@azure/identity'
import type { ProviderEnvironment } from '../contract.ts'
import { soundAnswers } from './answers.ts'
import { tokenCredential } from './credentials.ts'
import type { Credentials, Settings } from './settings.ts'

/** One cloud record's connection to Azure. */
export interface Azure {
  settings: Settings
  installation: string
  credential: TokenCredential
  compute: ComputeManagementClient
  network: NetworkManagementClient
  resources: ResourceManagementClient
  /** Static public addresses by their resource id, in lower case: each is asked for once. */
  addresses: Map<string, string>
  log: ProviderEnvironment['log']
}

/**
 * Throttled and failed calls are repeated by the SDK: at most 4 times each, after what the answer's Retry-After says or 0.3, 0.6,
 * 1.2 and 2.4 s. What is still refused then is a retryable error of ours; changes are begun again for a minute (`patiently`).
 */
const retryOptions = { maxRetries: 4, retryDelayInMs: 300, maxRetryDelayInMs: 8_000 }

/** Milliseconds between two looks at a long-running operation, where Azure does not say how long to wait. */
export const lookAgain = { updateIntervalInMs: 500 }

/** Loads the SDKs; asks Azure nothing yet. */
export async function connectAzure(
  settings: Settings,
  credentials: Credentials,
  { installation, log }: Pick<ProviderEnvironment, 'installation' | 'log'>,
): Promise<Azure> {
  const [compute, network, resources, credential] = await Promise.all([
    import('@azure/arm-compute'),
    import('@azure/arm-network'),
    import('@azure/arm-resources'),
    tokenCredential(credentials, settings),
  ])
  const { subscription, endpoint, certificateAuthority: ca } = settings
  const scope = `${endpoint.replace(/\/+$/, '')}/.default`
  const options = {
    endpoint,
    retryOptions,
    ...(ca !== undefined && { tlsOptions: { ca } }),
    additionalPolicies: [{ policy: soundAnswers, position: 'perRetry' as const }],
  }
  const clients = {
    compute: new compute.ComputeManagementClient(credential, subscription, {
      ...options,
      credentials: { scopes: [scope] },
    }),
    network: new network.NetworkManagementClient(credential, subscription, {
      ...options,
      $host: endpoint,
      credentialScopes: scope,
    }),
    resources: new resources.ResourceManagementClient(credential, subscription, {
      ...options,
      $host: endpoint,
      credentialScopes: scope,
    }),
  }
  // A redirect could carry a machine's user data to somebody else.
  for (const { pipeline } of Object.values(clients)) pipeline.removePolicy({ name: redirectPolicyName })
  return { settings, installation, log, credential, addresses: new Map(), ...clients }
}
