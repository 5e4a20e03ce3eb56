import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { credentials, type Ec2Cloud, startEc2Cloud } from '../../clouds/ec2/ec2-cloud.ts'
import { connectAws, make } from './aws-box.ts'

describe('aws: who asks, and what it may', () => {
  let cloud: Ec2Cloud
  let folder: string

  beforeAll(async () => {
    cloud = await startEc2Cloud()
    folder = await mkdtemp(join(tmpdir(), 'kitbag-aws-'))
  })
  afterEach(() => {
    cloud.faults([])
    vi.unstubAllEnvs()
  })
  afterAll(async () => {
    await cloud?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const findings = async (options: Parameters<typeof connectAws>[1] = {}) =>
    (await connectAws(cloud, options)).provider.test()
  const detailOf = (found: { name: string; detail: string }[], name: string) =>
    found.find((one) => one.name === name)?.detail ?? ''
  const asked = (call: string) => cloud.trace.filter((one) => one.call === call).at(-1)?.parameters

  test('every permission is tried without effect and named, and the policy to paste has them all and no more', async () => {
    const calls = cloud.trace.length
    const found = await findings()
    expect(found.filter(({ ok }) => !ok)).toEqual([])
    const names = found.map(({ name }) => name)
    const { Statement } = JSON.parse(/\{.*\}/.exec(detailOf(found, 'policy'))?.[0] ?? '{}')
    const allowed = Statement.flatMap(({ Action }: { Action: string[] }) => Action)
    expect(new Set(allowed)).toEqual(new Set([...names.filter((name) => name.startsWith('ec2:')), 'ec2:CreateTags']))
    const effects = cloud.trace.slice(calls).filter(({ call }) => !call.startsWith('Describe'))
    expect(effects.filter(({ parameters }) => parameters.DryRun !== 'true')).toEqual([])
  })

  test('what a deployment calls is in the policy', async () => {
    const one = await connectAws(cloud, { settings: { network: { own: '10.30.0.0/16' } } })
    const calls = cloud.trace.length
    const { id } = await make(one)
    await one.provider.destroyMachine(id)
    await one.provider.release?.({ installation: one.installation, deployment: 'dep_one' })
    await one.provider.residue?.(one.installation)
    const needed = new Set(cloud.trace.slice(calls).map(({ call }) => `ec2:${call}`))
    const found = await one.provider.test()
    const named = new Set(found.map(({ name }) => name))
    expect([...needed].filter((name) => !named.has(name))).toEqual([])
  })

  test('what import and forget call is in the statements for import, and tried; without it a deployment works', async () => {
    const one = await connectAws(cloud)
    const { id, tags } = await make(one)
    const put = { name: 'web-1', user: 'admin', component: 'web', tags }
    await one.provider.letGo(id)
    const calls = cloud.trace.length
    await one.provider.marks?.put(id, put)
    await one.provider.letGo(id)
    const changes = cloud.trace.slice(calls).flatMap(({ call }) => (call.startsWith('Describe') ? [] : [call]))
    const found = await one.provider.test()
    const tried = found.flatMap(({ name }) => name.match(/^import: ec2:(.*)/)?.[1] ?? [])
    expect([...new Set(changes)].filter((call) => !tried.includes(call))).toEqual([])
    for (const call of tried) expect(detailOf(found, 'policy for import')).toContain(`"ec2:${call}"`)
    cloud.faults([{ calls: ['CreateTags'], effect: { code: 'UnauthorizedOperation', status: 403 } }])
    const without = await one.provider.test()
    expect(without.filter(({ ok }) => !ok)).toEqual([])
    expect(detailOf(without, 'import: ec2:CreateTags')).toMatch(/^not allowed .*only cloud import and forget need it/)
    await expect(one.provider.marks?.put(id, put)).rejects.toThrow(/ec2:CreateTags/)
    await cloud.vanish(id)
  })

  test('one permission that is missing is named, alone', async () => {
    cloud.faults([{ calls: ['CreateSecurityGroup'], effect: { code: 'UnauthorizedOperation', status: 403 } }])
    expect((await findings()).filter(({ ok }) => !ok)).toEqual([
      { name: 'ec2:CreateSecurityGroup', ok: false, detail: expect.stringContaining('not allowed') },
    ])
  })

  test('ending machines may be allowed on machines of Kitbag alone, which is tried on one where there is one', async () => {
    const one = await connectAws(cloud)
    cloud.faults([{ calls: ['TerminateInstances'], effect: { code: 'UnauthorizedOperation', status: 403 } }])
    const terminate = async () => (await one.provider.test()).find(({ name }) => name === 'ec2:TerminateInstances')
    expect(await terminate()).toMatchObject({ ok: true, detail: expect.stringContaining('shows once a deployment') })
    const { id } = await make(one)
    expect(await terminate()).toMatchObject({ ok: false })
    expect(asked('TerminateInstances')).toMatchObject({ 'InstanceId.1': id, DryRun: 'true' })
    cloud.faults([])
    await one.provider.destroyMachine(id)
  })

  test.each(['AuthFailure', 'ExpiredToken', 'SignatureDoesNotMatch'])('%s: one finding that says so', async (code) => {
    cloud.faults([{ effect: { code, status: 401 } }])
    const found = await findings()
    expect(found).toEqual([{ name: 'credentials', ok: false, detail: expect.stringContaining(code) }])
    expect(JSON.stringify(found)).not.toContain(credentials.secretAccessKey)
  })

  test('a role is assumed with its external id, and its session signs the calls', async () => {
    const role = { arn: 'arn:aws:iam::123456789012:role/kitbag', externalId: 'tenant-7', endpoint: cloud.endpoint }
    const found = await findings({ credentials: { ...credentials, role } })
    expect(found[0]).toMatchObject({ name: 'credentials', ok: true })
    expect(asked('AssumeRole')).toMatchObject({ RoleArn: role.arn, ExternalId: 'tenant-7', RoleSessionName: 'kitbag' })
  })

  test('a web identity token is read from its file', async () => {
    const file = join(folder, 'token')
    await writeFile(file, 'the.web.token\n')
    const role = { arn: 'arn:aws:iam::123456789012:role/kitbag', endpoint: cloud.endpoint }
    const found = await findings({ credentials: { webIdentityTokenFile: file, role } })
    expect(found[0]).toMatchObject({ name: 'credentials', ok: true })
    expect(asked('AssumeRoleWithWebIdentity')).toMatchObject({ WebIdentityToken: 'the.web.token' })
    const without = await findings({ credentials: { webIdentityTokenFile: join(folder, 'none'), role } })
    expect(without[0]).toMatchObject({ ok: false, detail: expect.stringContaining('cannot be read') })
  })

  test('a profile, and the surroundings, only when they are asked for', async () => {
    const file = join(folder, 'credentials')
    await writeFile(file, '[work]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\n')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file)
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'none'))
    expect((await findings({ credentials: { profile: 'work' } }))[0]).toMatchObject({ ok: true })
    expect((await findings({ credentials: { profile: 'home' } }))[0]).toMatchObject({ name: 'credentials', ok: false })
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'y')
    expect((await findings({ credentials: { environment: true } }))[0]).toMatchObject({ ok: true })
  })
})
