import { readFile } from 'node:fs/promises'
import type { EC2ClientConfig } from '@aws-sdk/client-ec2'
import * as providers from '@aws-sdk/credential-providers'
import { KitbagError } from '../../model/errors.ts'
import type { AwsCredentials } from './settings.ts'

type CredentialSource = NonNullable<EC2ClientConfig['credentials']>

/** Name of Kitbag's sessions, as CloudTrail shows it. */
const roleSessionName = 'kitbag'

/**
 * What the SDK signs with. Temporary ones are renewed by the SDK before they end. Nothing is taken from the control plane's own
 * surroundings unless `profile`, `webIdentityTokenFile` or `environment` says so.
 */
export function credentialSource(given: AwsCredentials, region: string): CredentialSource {
  const { role } = given
  const clientConfig = { region, ...(role?.endpoint !== undefined && { endpoint: role.endpoint }) }
  const assume = role && {
    RoleArn: role.arn,
    RoleSessionName: roleSessionName,
    ...(role.externalId !== undefined && { ExternalId: role.externalId }),
  }
  if (given.webIdentityTokenFile !== undefined && role) {
    const file = given.webIdentityTokenFile
    return async () =>
      providers.fromWebToken({
        roleArn: role.arn,
        roleSessionName,
        webIdentityToken: await readToken(file),
        clientConfig,
      })()
  }
  const own = ownSource(given)
  if (!assume) return own
  return providers.fromTemporaryCredentials({ masterCredentials: own, params: assume, clientConfig })
}

function ownSource({ accessKeyId, secretAccessKey, sessionToken, profile }: AwsCredentials): CredentialSource {
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
  return providers.fromNodeProviderChain(profile === undefined ? {} : { profile })
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new KitbagError('provider-failed', `aws: the web identity token ${file} cannot be read`, {
      cause,
      fix: 'Mount the token where the control plane can read it, or connect the cloud with other credentials.',
    })
  }
}
