import type { TokenCredential } from '@azure/identity'
import type { Credentials, Settings } from './settings.ts'

/** How tokens are had. What a part of the chain needs beyond the record (a managed identity's address, `az`) it finds on this box. */
export async function tokenCredential(credentials: Credentials, settings: Settings): Promise<TokenCredential> {
  const identity = await import('@azure/identity')
  const { authority, certificateAuthority: ca } = settings
  // A private authority is known from the settings alone: nobody else is asked whether it is one.
  const own = authority !== 'https://login.microsoftonline.com'
  const options = {
    authorityHost: authority,
    ...(own && { disableInstanceDiscovery: true }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
    retryOptions: { maxRetries: 3, retryDelayInMs: 500 },
  }
  switch (credentials.from) {
    case 'client-secret': {
      const { tenant, client, secret } = credentials
      return new identity.ClientSecretCredential(tenant, client, secret, options)
    }
    case 'certificate': {
      const { tenant, client, certificate } = credentials
      return new identity.ClientCertificateCredential(tenant, client, { certificate }, options)
    }
    case 'workload-identity': {
      const { tenant: tenantId, client: clientId, tokenFile: tokenFilePath } = credentials
      return new identity.WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath, ...options })
    }
    case 'managed-identity': {
      const { client } = credentials
      return client === undefined
        ? new identity.ManagedIdentityCredential()
        : new identity.ManagedIdentityCredential({ clientId: client })
    }
    case 'cli':
      return new identity.AzureCliCredential(credentials.tenant === undefined ? {} : { tenantId: credentials.tenant })
    case 'environment':
      return new identity.DefaultAzureCredential(options)
  }
}
