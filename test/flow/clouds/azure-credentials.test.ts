import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type AzureCloud, startAzureCloud } from '../../clouds/azure/azure-cloud.ts'
import { connectTo } from '../../clouds/azure/connect.ts'
import { owner } from './azure-box.ts'

let cloud: AzureCloud
let folder: string
let identity: Server

beforeAll(async () => {
  cloud = await startAzureCloud()
  folder = await mkdtemp(join(tmpdir(), 'kitbag-azure-'))
  identity = createServer((request, response) => {
    const isKnown = request.headers['x-identity-header'] === 'a header'
    const token = { access_token: cloud.login.give(), expires_on: String(Math.floor(Date.now() / 1_000) + 3_600) }
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isKnown ? { ...token, resource: cloud.settings.endpoint, token_type: 'Bearer' } : {}))
  })
  identity.listen(0, '127.0.0.1')
  await once(identity, 'listening')
})

afterEach(() => vi.unstubAllEnvs())

afterAll(async () => {
  identity.close()
  await cloud.close()
  await rm(folder, { recursive: true })
})

/** They are good when the cloud answers. */
async function lists(credentials: Record<string, unknown>): Promise<void> {
  const provider = await connectTo(cloud, 'ins_one', {}, credentials)
  expect(await provider.listMachines({ tags: owner })).toEqual([])
}

const lastForm = () => cloud.login.forms.at(-1)

describe('azure: where tokens come from', () => {
  test('a client secret', () => lists(cloud.credentials))

  test('a certificate: its key signs what is asked for', async () => {
    const { tenant, client } = cloud.credentials
    const wanted = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=kitbag', '-keyout', '-', '-out', '-']
    const certificate = execFileSync('openssl', wanted, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    await lists({ from: 'certificate', tenant, client, certificate })
    const [header = '', claims = ''] = (lastForm()?.get('client_assertion') ?? '').split('.').slice(0, 2).map(decoded)
    expect(JSON.parse(header)).toMatchObject({ alg: expect.stringMatching(/^[PR]S256$/) })
    expect(JSON.parse(claims)).toMatchObject({ iss: client, sub: client })
  })

  test('a workload identity: the token of the file', async () => {
    const { tenant, client } = cloud.credentials
    const tokenFile = join(folder, 'token')
    await writeFile(tokenFile, 'the federated token')
    await lists({ from: 'workload-identity', tenant, client, tokenFile })
    expect(lastForm()?.get('client_assertion')).toBe('the federated token')
  })

  test('a managed identity', async () => {
    const { port } = identity.address() as AddressInfo
    vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${port}/token`)
    vi.stubEnv('IDENTITY_HEADER', 'a header')
    await lists({ from: 'managed-identity' })
  })

  test('whoever is logged in to the command line', async () => {
    const expires = Math.floor(Date.now() / 1_000) + 3_600
    const token = { accessToken: cloud.login.give(), expires_on: expires, tokenType: 'Bearer' }
    await writeFile(join(folder, 'az'), `#!/bin/sh\necho '${JSON.stringify(token)}'\n`)
    await chmod(join(folder, 'az'), 0o755)
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    await lists({ from: 'cli' })
  })

  test('the surroundings of the control plane', async () => {
    const { tenant, client, secret } = cloud.credentials
    vi.stubEnv('AZURE_TENANT_ID', tenant)
    vi.stubEnv('AZURE_CLIENT_ID', client)
    vi.stubEnv('AZURE_CLIENT_SECRET', secret)
    await lists({ from: 'environment' })
    expect(lastForm()?.get('client_secret')).toBe(secret)
  })

  test('what is not there is said by the check, by name', async () => {
    vi.stubEnv('PATH', '/nonexistent')
    const provider = await connectTo(cloud, 'ins_one', {}, { from: 'cli' })
    expect(await provider.test()).toEqual([
      { name: 'credentials', ok: false, detail: expect.stringMatching(/Azure CLI/) },
    ])
  })
})

function decoded(part: string): string {
  return Buffer.from(part, 'base64url').toString()
}
