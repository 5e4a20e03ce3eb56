import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { alertmanagerText } from '../../../src/toolkit/monitoring/alertmanager.ts'
import { plan } from '../../../src/toolkit/monitoring/plan.ts'
import { monitoringSchema } from '../../../src/toolkit/monitoring/schema.ts'
import { signerFile } from '../../../src/toolkit/monitoring/webhook-signer.ts'
import { isSignedFile } from '../../support/is-signed.ts'

describe('a webhook with a secret', () => {
  const secret = { $ref: 'secrets.HOOK' }
  const spec = monitoringSchema.parse({
    notify: {
      ops: { webhook: { url: 'https://ops.example/a', secret } },
      plain: { webhook: { url: 'https://b.example' } },
    },
  })
  const signers = (notify: object) =>
    plan({ name: 'monitoring', spec: monitoringSchema.parse({ notify }), components: [] }).extras?.filter(
      ({ name }) => name === 'webhook-signer',
    )

  test('has what signs beside Alertmanager; without one nothing is there', () => {
    expect(signers(spec.notify)).toEqual([
      expect.objectContaining({ settings: { webhooks: { ops: { url: 'https://ops.example/a', secret } } } }),
    ])
    expect(signers({ plain: spec.notify.plain })).toEqual([])
  })

  test('is told by way of it, and Alertmanager does not have the secret', () => {
    const resolved = { ...spec.notify, ops: { webhook: { url: 'https://ops.example/a', secret: 'hush' } } }
    const text = alertmanagerText({ notify: resolved as never, repeat: 1000 })
    const urls = JSON.parse(text).receivers.flatMap(
      ({ name, webhook_configs = [] }: { name: string; webhook_configs?: { url: string }[] }) =>
        webhook_configs.map(({ url }) => `${name} ${url}`),
    )
    expect(urls).toEqual([
      'ops http://127.0.0.1:9095/ops',
      'test/ops http://127.0.0.1:9095/ops',
      'plain https://b.example',
      'test/plain https://b.example',
    ])
    expect(text).not.toContain('hush')
  })

  test.for([
    [{ url: 'hidden.example', secret: 's' }, /notify\.ops\.webhook\.url: the secret is no URL/],
    [{ url: 'file:///etc/shadow', secret: 's' }, /is no URL/],
    [{ url: 'https://ops.example', secret: 's', token: 'two\nlines' }, /webhook\.token.*no header can hold/],
  ] as const)('%j cannot be used, which is told without it', ([webhook, message]) => {
    expect(() => signerFile({ ops: webhook })).toThrow(message)
    expect(() => signerFile({ ops: webhook })).not.toThrow(webhook.url)
  })

  test('the documentation shows the check that the tests use', () => {
    expect(readFileSync('docs/monitoring.md', 'utf8')).toContain(readFileSync(isSignedFile, 'utf8'))
  })
})
